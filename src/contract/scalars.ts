import * as z from 'zod'
import { MAX_TOKENS_PER_CLASS, REQUEST_ID, SERVICE_NAME, SLUG } from '#kernel'

/** An integer amount of pico-yuan as a decimal string: JSON numbers lose digits past 2⁵³. */
export const PicoText = z.string().regex(/^-?\d{1,38}$/)

/** A pico amount that is never negative. */
export const UnsignedPicoText = z.string().regex(/^\d{1,38}$/)

export const Slug = z.string().regex(SLUG, 'use lower-case letters, digits, dot, dash and underscore; at most 64')

export const ServiceName = z.string().regex(SERVICE_NAME, 'use letters, digits, . _ : - and at most one slash')

export const RequestIdText = z.string().regex(REQUEST_ID)

/** What somebody calls a payment, a refund or a correction, so that it is booked once. */
export const ReferenceText = z
  .string()
  .trim()
  .min(1)
  .max(120)
  .regex(/^[^\p{Cc}]*$/u, 'without control characters')

export const TokenCount = z.int().min(0).max(MAX_TOKENS_PER_CLASS)

export const Tokens = z.object({
  uncachedInput: TokenCount,
  cacheWrite: TokenCount,
  cacheRead: TokenCount,
  output: TokenCount,
  reasoning: TokenCount,
})

/** Milliseconds since 1970-01-01T00:00Z. */
export const EpochMs = z.int().min(0)

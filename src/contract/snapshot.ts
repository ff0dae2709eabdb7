import * as z from 'zod'
import { EpochMs, ServiceName, Slug, UnsignedPicoText } from './scalars.ts'

/** Rate limits. Absent means unlimited. */
export const Limits = z.object({
  requestsPerMinute: z.int().min(1).max(10_000_000).optional(),
  tokensPerMinute: z.int().min(1).max(100_000_000_000).optional(),
  maxConcurrency: z.int().min(1).max(1_000_000).optional(),
})
export type Limits = z.infer<typeof Limits>

/** Pico per token and class. A class that has no price cannot be served: there is no implicit zero. */
export const ClassPrices = z.object({
  uncachedInput: UnsignedPicoText,
  cacheWrite: UnsignedPicoText,
  cacheRead: UnsignedPicoText,
  output: UnsignedPicoText,
  reasoning: UnsignedPicoText,
})
export type ClassPrices = z.infer<typeof ClassPrices>

/** One dated price sheet; valid from `validFromMs` (inclusive) to `validToMs` (exclusive, null = open). Prices include tax. */
export const PriceSheet = z.object({
  id: z.string(),
  currency: z.literal('CNY'),
  validFromMs: EpochMs,
  validToMs: EpochMs.nullable(),
  taxPercent: z.int().min(0).max(100),
  prices: ClassPrices,
})
export type PriceSheet = z.infer<typeof PriceSheet>

/**
 * Which tokenizer recounts a service: the vocabulary of the model that the embedded engine runs, that of another GGUF file in
 * `models/`, a tiktoken encoding, or a stated bytes-per-token estimate.
 */
export const TokenizerSpec = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('embedded') }),
  z.object({ kind: z.literal('gguf'), file: z.string() }),
  z.object({ kind: z.literal('tiktoken'), encoding: z.enum(['o200k_base', 'cl100k_base']) }),
  z.object({ kind: z.literal('bytes'), bytesPerToken: z.number().min(1).max(8) }),
])
export type TokenizerSpec = z.infer<typeof TokenizerSpec>

/** One way to serve a service: a supplier's model, tried in ascending `priority`, with what it costs us. */
export const Deployment = z.object({
  supplier: Slug,
  model: z.string().min(1).max(256),
  priority: z.int().min(0).max(1000),
  buySheets: z.array(PriceSheet),
})
export type Deployment = z.infer<typeof Deployment>

export const Service = z.object({
  id: ServiceName,
  displayName: z.string(),
  createdMs: EpochMs,
  contextTokens: z.int().min(1),
  maxOutputTokens: z.int().min(1),
  tokenizer: TokenizerSpec,
  /** Empty: every tenant may use it. */
  tenants: z.array(Slug),
  sellSheets: z.array(PriceSheet),
  deployments: z.array(Deployment),
  /** Time to first byte, silence between bytes, and the whole request, each in milliseconds. */
  firstByteTimeoutMs: z.int().min(1),
  idleTimeoutMs: z.int().min(1),
  totalTimeoutMs: z.int().min(1),
})
export type Service = z.infer<typeof Service>

export const Supplier = z.object({
  id: Slug,
  displayName: z.string(),
  kind: z.enum(['embedded', 'openai-compatible']),
  /** Base URL up to and including the version path, e.g. `https://api.example.com/v1`. */
  baseUrl: z.string(),
  /** Name of the environment variable that holds the supplier's key; the key itself never enters the database. */
  apiKeyEnv: z.string().nullable(),
  maxConcurrency: z.int().min(1),
  /** How the supplier wants the output cap named. */
  maxTokensField: z.enum(['max_tokens', 'max_completion_tokens']),
})
export type Supplier = z.infer<typeof Supplier>

export const Tenant = z.object({
  id: Slug,
  displayName: z.string(),
  status: z.enum(['active', 'suspended']),
  limits: Limits,
})
export type Tenant = z.infer<typeof Tenant>

/** `hash` is base64 of SHA-256 over the whole key text. Keys carry 160 random bits, so a fast hash is enough. */
export const ApiKey = z.object({
  id: Slug,
  tenant: Slug,
  name: z.string(),
  hash: z.string(),
  status: z.enum(['active', 'revoked']),
  expiresAtMs: EpochMs.nullable(),
  limits: Limits,
})
export type ApiKey = z.infer<typeof ApiKey>

/** All that a gateway needs to know to serve without asking anybody. Replaced as a whole when anything in it changes. */
export const Snapshot = z.object({
  version: z.int().min(0),
  tenants: z.array(Tenant),
  keys: z.array(ApiKey),
  services: z.array(Service),
  suppliers: z.array(Supplier),
})
export type Snapshot = z.infer<typeof Snapshot>

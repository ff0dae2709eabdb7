import * as z from 'zod'

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/
const INSTANT = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,3})?)?(?:Z|[+-](\d{2}):(\d{2}))$/

/**
 * An instant, in milliseconds since 1970. A bare date means midnight in China (+08:00), where these books are kept; a time
 * without an offset is refused because it would mean something else on every machine.
 */
export const Instant = z
  .string('write a date such as 2026-11-01 or a time such as 2026-11-01T08:00:00+08:00')
  .transform((text, context) => {
    const parts = DATE.exec(text) ?? INSTANT.exec(text)
    const atMs = parts ? Date.parse(DATE.test(text) ? `${text}T00:00:00+08:00` : text) : Number.NaN
    const [, year, month, day] = parts ?? []
    const isRealDay =
      parts !== null && new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() === Number(day)
    if (!Number.isNaN(atMs) && isRealDay && atMs >= 0) return atMs
    context.addIssue({
      code: 'custom',
      message: 'not a date such as 2026-11-01 or a time with its offset such as 2026-11-01T08:00:00+08:00',
    })
    return z.NEVER
  })

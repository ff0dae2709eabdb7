import type { Brand } from './brand.ts'

/** Currencies the books are kept in. Amounts of different currencies never meet in one sum. */
export type Currency = 'CNY'

/**
 * Money is an integer count of pico-yuan (10⁻¹² CNY). A price of ¥1 per million tokens is 1,000,000 pico per token, so
 * tokens × price is exact and nothing rounds per request, down to ¥0.000001 per million.
 */
export type Pico = Brand<bigint, 'Pico'>

export const PICO_PER_YUAN = 1_000_000_000_000n

/** The largest amount that any single file, request or posting may state: ten trillion yuan. */
const MAX_PICO = 10n ** 25n

export function pico(value: bigint): Pico {
  return value as Pico
}

export const ZERO: Pico = pico(0n)

/** Parses a plain decimal amount of yuan ("12.5", "-0.000001"). Throws `RangeError` on anything inexact, signed oddly or absurd. */
export function parseYuan(text: string): Pico {
  return pico(parseDecimal(text, 12))
}

/** Parses a price in yuan per million tokens and returns pico per token (the factor is exactly 10⁶). At most six decimals, never negative. */
export function parsePricePerMillion(text: string): Pico {
  const scaled = parseDecimal(text, 6)
  if (scaled < 0n) throw new RangeError(`a price is never negative: ${text}`)
  return pico(scaled)
}

/** Writes an amount as a decimal of yuan with no trailing zeros: `pico(1_500_000_000_000n)` → "1.5". */
export function formatYuan(amount: bigint): string {
  return formatDecimal(amount, 12)
}

/** The inverse of `parsePricePerMillion`: pico per token → yuan per million tokens. */
export function formatPricePerMillion(picoPerToken: bigint): string {
  return formatDecimal(picoPerToken, 6)
}

/**
 * Standard tokens and whatever else a conversion table counts are whole millionths of the table's unit. At most six decimals, never
 * negative.
 */
export function parseUnits(text: string): bigint {
  const scaled = parseDecimal(text, 6)
  if (scaled < 0n) throw new RangeError(`an amount of units is never negative: ${text}`)
  return scaled
}

/** The inverse of `parseUnits`: millionths → "1.5". */
export function formatUnits(millionths: bigint): string {
  return formatDecimal(millionths, 6)
}

function parseDecimal(text: string, scale: number): bigint {
  const match = /^(-?)(\d{1,18})(?:\.(\d+))?$/.exec(text)
  if (!match) throw new RangeError(`not a plain decimal number: ${JSON.stringify(text.slice(0, 40))}`)
  const [, sign, whole, fraction = ''] = match
  if (fraction.length > scale && /[1-9]/.test(fraction.slice(scale)))
    throw new RangeError(`more than ${scale} decimals: ${text.slice(0, 40)}`)
  const magnitude = BigInt(whole + fraction.slice(0, scale).padEnd(scale, '0'))
  if (magnitude > MAX_PICO) throw new RangeError(`too large: ${text.slice(0, 40)}`)
  return sign ? -magnitude : magnitude
}

function formatDecimal(value: bigint, scale: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0')
  const whole = digits.slice(0, -scale)
  const fraction = digits.slice(-scale).replace(/0+$/, '')
  return `${value < 0n ? '-' : ''}${whole}${fraction ? `.${fraction}` : ''}`
}

/** Past these no amount or count of a statement is meant seriously, and no arithmetic is done with it. */
const MOST_DIGITS = 40
const MOST_EXPONENT = 30

export type Decimal = { readonly digits: bigint; readonly scale: number }
export type DecimalFlaw = 'not_a_number' | 'negative' | 'too_large' | 'too_precise'

/**
 * A number as a file writes it, exactly: `1234.50`, and `1.2E-5` as spreadsheets store small ones. Nothing is rounded, and nothing
 * that is not plainly a number is taken for one.
 */
export function parseDecimal(text: string, { thousands }: { readonly thousands: boolean }): Decimal | DecimalFlaw {
  const plain = thousands && /^-?\d{1,3}(?:,\d{3})+(?:\.\d+)?$/.test(text) ? text.replaceAll(',', '') : text
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?$/.exec(plain)
  if (!match) return 'not_a_number'
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  const power = Number(exponent)
  if (whole.length + fraction.length > MOST_DIGITS || Math.abs(power) > MOST_EXPONENT) return 'too_large'
  const digits = BigInt(whole + fraction)
  if (sign === '-' && digits !== 0n) return 'negative'
  const scale = fraction.length - power
  return scale >= 0 ? { digits, scale } : { digits: digits * 10n ** BigInt(-scale), scale: 0 }
}

/** The whole number of units of 10^-`decimals` that a number is, if it is whole. */
export function scaled({ digits, scale }: Decimal, decimals: number): bigint | DecimalFlaw {
  if (scale <= decimals) return digits * 10n ** BigInt(decimals - scale)
  const divisor = 10n ** BigInt(scale - decimals)
  return digits % divisor === 0n ? digits / divisor : 'too_precise'
}

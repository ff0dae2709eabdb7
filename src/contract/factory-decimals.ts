import * as z from 'zod'
import { parsePricePerMillion, parseUnits, parseYuan } from '#kernel'

/**
 * Exact decimals of `factory.yaml`. Numbers under these names are money or its like: a reader hands over their source text, so that
 * `0.1` never passes through a float.
 */
export const DECIMAL_FIELDS: ReadonlySet<string> = new Set([
  'uncachedInput',
  'cacheWrite',
  'cacheRead',
  'output',
  'reasoning',
  'amountYuan',
  'limitYuan',
  'dayYuan',
  'monthYuan',
  'multiplier',
  'missYuan',
  'mebibyteYuan',
  // Of offers.
  'priceYuan',
  'hourPriceYuan',
  'minYuanPerMinute',
  'stepYuanPerMinute',
  'creditLimitYuan',
  'units',
  'uncachedInputUnits',
  'cacheWriteUnits',
  'cacheReadUnits',
  'outputUnits',
  'reasoningUnits',
])

export function decimal(
  form: string,
  what: string,
  parse: (text: string) => bigint,
  flawOf?: (value: bigint) => string | null,
) {
  return z.string(form).superRefine((text, context) => {
    try {
      const value = parse(text)
      const flaw = flawOf?.(value) ?? null
      if (flaw !== null) context.addIssue({ code: 'custom', message: flaw })
    } catch (error) {
      context.addIssue({ code: 'custom', message: `not ${what}: ${String((error as Error).message)}` })
    }
  })
}

/** Yuan per million tokens of one class, tax included: a plain decimal with at most six places. */
export const PricePerMillion = decimal(
  'a price is a plain decimal number such as 2 or 0.5',
  'a price in yuan per million tokens',
  parsePricePerMillion,
)

/** Units of a conversion table per token, with at most six places. */
export const UnitsPerToken = decimal(
  'a weight is a plain decimal number such as 4 or 0.25',
  'a number of units per token',
  parseUnits,
)

/** What prices are multiplied by. What costs nothing must be said in prices. */
export const Multiplier = decimal(
  'a multiplier is a plain decimal number such as 2 or 0.5',
  'a multiplier',
  parseUnits,
  (millionths) => {
    if (millionths === 0n) return 'the multiplier must be above zero: write prices of 0 for what costs nothing'
    return millionths > 1_000_000_000n ? 'the multiplier must be at most 1000' : null
  },
)

/** A positive amount of yuan with at most twelve places. */
export const AmountYuan = decimal(
  'an amount is a plain decimal number such as 100 or 0.5',
  'an amount in yuan',
  parseYuan,
  (amount) => (amount > 0n ? null : 'the amount must be above zero'),
)

/** An amount of yuan that may be zero. */
export const LimitYuan = decimal(
  'an amount is a plain decimal number such as 100 or 0.5',
  'an amount in yuan',
  parseYuan,
  (amount) => (amount >= 0n ? null : 'the amount must not be below zero'),
)

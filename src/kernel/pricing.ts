import { isPeak } from './calendar.ts'
import type { Calendars, PeakTimes } from './calendar.ts'
import { parseUnits, pico } from './money.ts'
import type { Pico } from './money.ts'
import { divideHalfEven } from './rounding.ts'
import { parseTokenPrices, upperBound } from './rating.ts'
import type { TokenPrices } from './rating.ts'
import { TOKEN_CLASSES } from './tokens.ts'
import type { TokenClass } from './tokens.ts'

export type Tier = 'priority' | 'standard' | 'flex' | 'batch'

/** When a variant of a sheet's prices holds: where all that is stated is so. */
export interface VariantCondition {
  readonly tier?: Tier | undefined
  readonly period?: 'peak' | 'off_peak' | undefined
  /** Input tokens of all classes together, above this number. */
  readonly inputTokensAbove?: number | undefined
}

/** The part of a price sheet that says what a token costs; `variants` are asked in their order, the first that fits decides. */
export interface SheetTerms {
  readonly prices: Readonly<Record<TokenClass, string>>
  readonly peak?: PeakTimes | undefined
  readonly variants?:
    | readonly { readonly when: VariantCondition; readonly prices: Readonly<Record<TokenClass, string>> }[]
    | undefined
}

/** A sheet that has been read. */
export interface PricedSheet {
  readonly prices: TokenPrices
  readonly peak: PeakTimes | null
  readonly variants: readonly { readonly when: VariantCondition; readonly prices: TokenPrices }[]
}

/** Reads a sheet once, so that pricing a request parses nothing. Throws `RangeError` on a price that is none. */
export function parsePriceSheet({ prices, peak, variants = [] }: SheetTerms): PricedSheet {
  return {
    prices: parseTokenPrices(prices),
    peak: peak ?? null,
    variants: variants.map((variant) => ({ when: variant.when, prices: parseTokenPrices(variant.prices) })),
  }
}

/** What decides the prices of a request beside the sheet. */
export interface PricedMoment {
  readonly tier: Tier
  /** When the request was accepted: a long answer does not change its price at noon. */
  readonly atMs: number
}

export interface PricesInForce {
  readonly prices: TokenPrices
  /** Which of the sheet's variants decided; null: none, the sheet's own prices hold. */
  readonly variant: number | null
}

/**
 * The prices of a request with this many input tokens. Undefined where the sheet's peak hours name a calendar that is not known:
 * what cannot be priced is not served.
 */
export function pricesFor(
  sheet: PricedSheet,
  { inputTokens, ...moment }: PricedMoment & { readonly inputTokens: number },
  calendars: Calendars,
): PricesInForce | undefined {
  const isPeakNow = peakAt(sheet, moment.atMs, calendars)
  if (isPeakNow === undefined) return undefined
  const variant = sheet.variants.findIndex(
    ({ when }) => fits(when, moment.tier, isPeakNow) && (when.inputTokensAbove ?? -1) < inputTokens,
  )
  return { prices: sheet.variants[variant]?.prices ?? sheet.prices, variant: variant < 0 ? null : variant }
}

/**
 * The most that a request with at most this many input and output tokens can cost, whatever its real input is and however it is
 * split into classes. Each variant is taken at the longest input with which it can decide. Undefined as `pricesFor`.
 */
export function dearestBound(
  sheet: PricedSheet,
  {
    inputTokens,
    outputTokens,
    ...moment
  }: PricedMoment & { readonly inputTokens: number; readonly outputTokens: number },
  calendars: Calendars,
): Pico | undefined {
  const bands = bandsUpTo(sheet, moment, Math.ceil(inputTokens), calendars)
  return bands?.reduce((most, { longest, prices }) => {
    const bound = upperBound({ inputTokens: longest, outputTokens }, prices)
    return bound > most ? bound : most
  }, pico(0n))
}

/** Per class, the dearest of the prices that may hold for an input of at most this length. Undefined as `pricesFor`. */
export function dearestPrices(
  sheet: PricedSheet,
  { inputTokens, ...moment }: PricedMoment & { readonly inputTokens: number },
  calendars: Calendars,
): TokenPrices | undefined {
  const bands = bandsUpTo(sheet, moment, Math.ceil(inputTokens), calendars)
  return bands
    ?.map(({ prices }) => prices)
    .reduce((most, prices) => mapPrices(most, (price, name) => max(price, prices[name])))
}

/** The tiers that a sheet has prices of: `standard`, and those that one of its variants names. Others are not sold. */
export function tiersOf(sheet: Pick<SheetTerms, 'variants'>): ReadonlySet<Tier> {
  return new Set<Tier>(['standard', ...(sheet.variants ?? []).flatMap(({ when }) => when.tier ?? [])])
}

/** Whether a variant can never decide because one before it fits wherever it does. */
export function isShadowed(when: VariantCondition, earlier: readonly VariantCondition[]): boolean {
  return earlier.some(
    (other) =>
      (other.tier === undefined || other.tier === when.tier) &&
      (other.period === undefined || other.period === when.period) &&
      (other.inputTokensAbove ?? -1) <= (when.inputTokensAbove ?? -1),
  )
}

/** Prices times a plain decimal such as 0.5, each rounded half to even to one pico per token. */
export function scalePrices(prices: TokenPrices, multiplier: string): TokenPrices {
  const millionths = parseUnits(multiplier)
  return mapPrices(prices, (price) => divideHalfEven(price * millionths, 1_000_000n))
}

/** Which prices may decide for inputs of 0 to `inputBound` tokens, and up to which length each does. */
function bandsUpTo(sheet: PricedSheet, { tier, atMs }: PricedMoment, inputBound: number, calendars: Calendars) {
  const isPeakNow = peakAt(sheet, atMs, calendars)
  if (isPeakNow === undefined) return undefined
  const bands: { readonly longest: number; readonly prices: TokenPrices }[] = []
  // Inputs longer than `longest` are decided by an earlier variant.
  let longest = inputBound
  for (const { when, prices } of [...sheet.variants, { when: {}, prices: sheet.prices }]) {
    const above = when.inputTokensAbove ?? -1
    if (!fits(when, tier, isPeakNow) || above >= longest) continue
    bands.push({ longest, prices })
    longest = above
    if (longest < 0) break
  }
  return bands
}

function peakAt(sheet: PricedSheet, atMs: number, calendars: Calendars): boolean | undefined {
  if (sheet.peak === null) return false
  const { calendar } = sheet.peak
  const holidays = calendar === null ? null : calendars.get(calendar)
  return holidays === undefined ? undefined : isPeak(sheet.peak, atMs, holidays)
}

function fits(when: VariantCondition, tier: Tier, isPeakNow: boolean): boolean {
  return (
    (when.tier === undefined || when.tier === tier) &&
    (when.period === undefined || (when.period === 'peak') === isPeakNow)
  )
}

function mapPrices(prices: TokenPrices, change: (price: Pico, name: TokenClass) => bigint): TokenPrices {
  return Object.fromEntries(
    TOKEN_CLASSES.map((name) => [name, pico(change(prices[name], name))]),
  ) as unknown as TokenPrices
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}

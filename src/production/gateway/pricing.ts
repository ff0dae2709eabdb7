import type { PriceSheet } from '#contract'
import { dearestBound, dearestPrices, parsePriceSheet, pricesFor, tiersOf, upperBound } from '#kernel'
import type { Calendars, PricedSheet, Tier, TokenPrices } from '#kernel'

/** A price sheet that was read once, with the calendars that its peak hours need. */
export interface Sheet {
  readonly id: string
  readonly fromMs: number
  readonly toMs: number
  readonly taxPercent: number
  readonly terms: PriceSheet
  readonly priced: PricedSheet
  readonly tiers: ReadonlySet<Tier>
  readonly calendars: Calendars
}

/** What decides the prices of a request beside the sheet and its tokens. */
export interface Moment {
  readonly tier: Tier
  readonly atMs: number
}

/** The most tokens that a request can use. */
export interface TokenBounds {
  readonly inputBound: number
  readonly outputBound: number
}

/** The sheets that can price. One whose calendar is not known cannot, so what it would price is not served: never free. */
export function readSheets(sheets: readonly PriceSheet[], calendars: Calendars): readonly Sheet[] {
  return sheets
    .filter(({ peak }) => !peak || peak.calendar === null || calendars.has(peak.calendar))
    .map((sheet) => ({
      id: sheet.id,
      fromMs: sheet.validFromMs,
      toMs: sheet.validToMs ?? Number.POSITIVE_INFINITY,
      taxPercent: sheet.taxPercent,
      terms: sheet,
      priced: parsePriceSheet(sheet),
      tiers: tiersOf(sheet),
      calendars,
    }))
}

export function sheetAt(sheets: readonly Sheet[], nowMs: number): Sheet | undefined {
  for (const sheet of sheets) if (nowMs >= sheet.fromMs && nowMs < sheet.toMs) return sheet
  return undefined
}

/** The tier that is served and billed for the one that was asked for: `standard` where the sheet does not sell it. */
export function tierOf(sheet: Sheet, asked: Tier | undefined): Tier {
  return asked !== undefined && sheet.tiers.has(asked) ? asked : 'standard'
}

/** The most that a request can cost, whichever variant decides in the end. */
export function moneyBound({ priced, calendars }: Sheet, moment: Moment, bounds: TokenBounds): bigint {
  const tokens = { inputTokens: bounds.inputBound, outputTokens: bounds.outputBound }
  if (priced.variants.length === 0) return upperBound(tokens, priced.prices)
  return known(dearestBound(priced, { ...moment, ...tokens }, calendars))
}

/** What a request with this many input tokens is charged by. */
export function pricesOf({ priced, calendars }: Sheet, moment: Moment, inputTokens: number): TokenPrices {
  if (priced.variants.length === 0) return priced.prices
  return known(pricesFor(priced, { ...moment, inputTokens }, calendars)).prices
}

/** Per class the dearest price that a request of at most this input may be charged by. */
export function dearestOf({ priced, calendars }: Sheet, moment: Moment, inputBound: number): TokenPrices {
  return known(dearestPrices(priced, { ...moment, inputTokens: inputBound }, calendars))
}

function known<T>(prices: T | undefined): T {
  if (prices === undefined) throw new Error('a sheet without its calendar was offered')
  return prices
}

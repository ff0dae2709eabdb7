import type { Catalogue } from '#catalogue'
import { parsePriceSheet, pricesFor } from '#kernel'
import type { PricedSheet } from '#kernel'
import type { BuyPricesOf } from '#quality'

/** What suppliers' tokens cost, by the sheet, hour and tier that a record names. Each sheet is read once. */
export function buyPricesOf(catalogue: Pick<Catalogue, 'ratingSources'>): () => Promise<BuyPricesOf> {
  return async () => {
    const { sheetById, calendars = new Map() } = await catalogue.ratingSources()
    const sheets = new Map<string, PricedSheet | undefined>()
    return async ({ buySheet, tokens, tier = 'standard', acceptedAtMs }) => {
      if (!sheets.has(buySheet)) {
        const filed = await sheetById?.(buySheet)
        sheets.set(buySheet, filed && parsePriceSheet(filed))
      }
      const sheet = sheets.get(buySheet)
      const inputTokens = tokens.uncachedInput + tokens.cacheWrite + tokens.cacheRead
      return sheet && pricesFor(sheet, { tier, atMs: acceptedAtMs, inputTokens }, calendars)?.prices
    }
  }
}

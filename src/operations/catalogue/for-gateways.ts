import type { ApiKey, ConversionTable, HolidayCalendar, PriceSheet } from '#contract'
import { texts } from './declare.ts'
import { lineKey, lineUp } from './model.ts'
import type { CalendarRow, SheetRow, TableVersionRow, Validity } from './model.ts'
import type { TableRow } from './tables/store.ts'

/** From the rows of the tables to what gateways are told. What has ended is not told: nothing is rated by it any more. */

export function linesOf(sheets: readonly SheetRow[], nowMs: number) {
  const lines = Map.groupBy(sheets, lineKey)
  return (line: Parameters<typeof lineKey>[0]): PriceSheet[] =>
    lineUp(lines.get(lineKey(line)) ?? [])
      .lined.filter((sheet) => isOpen(sheet, nowMs))
      .map(sheetOf)
}

export function tablesOf(
  tables: readonly TableRow[],
  versions: readonly TableVersionRow[],
  nowMs: number,
): ConversionTable[] {
  const lines = Map.groupBy(versions, ({ table }) => table)
  return tables.map(({ id, displayName }) => ({
    id,
    displayName,
    versions: lineUp(lines.get(id) ?? [])
      .lined.filter((version) => isOpen(version, nowMs))
      .map(({ id: version, validFromMs, validToMs, weights }) => ({
        id: version,
        validFromMs,
        validToMs,
        weights: [...weights],
      })),
  }))
}

export function sheetOf({ id, validFromMs, validToMs, taxPercent, prices, peak, variants }: SheetRow): PriceSheet {
  return {
    id,
    currency: 'CNY',
    validFromMs,
    validToMs,
    taxPercent,
    prices: texts(prices),
    ...(peak && { peak }),
    ...(variants.length > 0 && { variants: [...variants] }),
  }
}

export function calendarOf({ id, coversFrom, coversTo, holidays, workedWeekendDays }: CalendarRow): HolidayCalendar {
  return { id, coversFrom, coversTo, holidays, workedWeekendDays }
}

export function keyOf({ id, tenant, name, hash, status, expiresAtMs, limits }: ApiKey): ApiKey {
  return { id, tenant, name, hash, status, expiresAtMs, limits }
}

function isOpen({ validToMs }: Validity, nowMs: number): boolean {
  return validToMs === null || validToMs > nowMs
}

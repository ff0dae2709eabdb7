import { hash } from 'node:crypto'
import type { Funding } from '#charging'
import type { ApiKey, ConversionTable, HolidayCalendar, PriceSheet, Tenant } from '#contract'
import { declared, texts } from './declare.ts'
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

export function publishedTables(
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

/** A tenant with what it may pay with and what caps it: not with the wallet of somebody who may not spend from it either. */
export function tenantOf(
  { id, displayName, status, limits, strategy, weight, regions, seesSuppliers }: Tenant,
  { means, caps }: Funding,
  isActive: (tenant: string) => boolean,
): Tenant {
  const own = means.get(id)?.filter((each) => each.kind !== 'wallet' || each.payer === id || isActive(each.payer))
  return {
    id,
    displayName,
    status,
    limits,
    ...declared({ strategy, weight, regions, seesSuppliers }, ['strategy', 'weight', 'regions', 'seesSuppliers']),
    ...listed('means', own),
    ...listed('caps', caps.get(`tenant/${id}`)),
  }
}

/** A key with its own caps and those of its project. */
export function keyOf(key: ApiKey & { readonly project: string | null }, { caps }: Funding): ApiKey {
  const { id, tenant, name, hash, status, expiresAtMs, limits, project } = key
  const all = [
    ...(caps.get(`key/${id}`) ?? []),
    ...(project === null ? [] : (caps.get(`project/${tenant}/${project}`) ?? [])),
  ]
  return { id, tenant, name, hash, status, expiresAtMs, limits, ...listed('caps', all) }
}

/** Changes whenever gateways must hear of how requests are paid for; empty if there is nothing to tell. */
export function fundingHash({ means, caps }: Funding): string {
  return means.size + caps.size === 0 ? '' : hash('sha256', JSON.stringify([[...means], [...caps]]), 'base64')
}

export function listed<Name extends string, Item>(name: Name, items: readonly Item[] = []) {
  return items.length === 0 ? {} : ({ [name]: [...items] } as Partial<Record<Name, Item[]>>)
}

function isOpen({ validToMs }: Validity, nowMs: number): boolean {
  return validToMs === null || validToMs > nowMs
}

import type { ClassPrices, HolidayCalendar, PeakHours, PriceVariant } from '#contract'
import { chinaDate, chinaMidnightMs } from '#kernel'

/** When something dated counts: from `validFromMs` (inclusive) to `validToMs` (exclusive); null means until the next one begins. */
export interface Validity {
  readonly validFromMs: number
  readonly validToMs: number | null
}

/** Price sheets and versions of conversion tables. */
export interface Dated extends Validity {
  readonly id: string
}

export interface Lined<Row extends Validity> {
  /** In order of beginning, each open end closed by the next beginning. */
  readonly lined: readonly Row[]
  readonly overlaps: readonly { readonly earlier: Row; readonly later: Row }[]
}

/** Puts those of one line in order, so that at every instant at most one of them is in force. */
export function lineUp<Row extends Validity>(rows: readonly Row[]): Lined<Row> {
  const ordered = rows.toSorted((a, b) => a.validFromMs - b.validFromMs)
  const lined: Row[] = []
  const overlaps: { earlier: Row; later: Row }[] = []
  let earlier: Row | undefined
  for (const later of ordered) {
    if (earlier !== undefined) {
      const isTwin = earlier.validFromMs === later.validFromMs
      if (isTwin || (earlier.validToMs !== null && earlier.validToMs > later.validFromMs))
        overlaps.push({ earlier, later })
      else lined[lined.length - 1] = { ...earlier, validToMs: earlier.validToMs ?? later.validFromMs }
    }
    lined.push(later)
    earlier = later
  }
  return { lined, overlaps }
}

export function inForceAt<Row extends Validity>(lined: readonly Row[], atMs: number): Row | undefined {
  return lined.find(({ validFromMs, validToMs }) => validFromMs <= atMs && (validToMs === null || atMs < validToMs))
}

export function gapAt(lined: readonly Validity[], atMs: number): boolean {
  return inForceAt(lined, atMs) === undefined
}

/** Where a sheet belongs: what a service sells for, or what one supplier's model costs for it. */
export interface PriceLine {
  readonly service: string
  readonly side: 'sell' | 'buy'
  readonly supplier: string | null
  readonly model: string | null
}

/** Pico-yuan per token and class. */
export interface SheetPrices {
  readonly uncachedInput: bigint
  readonly cacheWrite: bigint
  readonly cacheRead: bigint
  readonly output: bigint
  readonly reasoning: bigint
}

export interface SheetRow extends PriceLine, Dated {
  readonly taxPercent: number
  readonly prices: SheetPrices
  /** Null: no hour is a peak. */
  readonly peak: PeakHours | null
  readonly variants: readonly PriceVariant[]
}

/** A version of a conversion table. */
export interface TableVersionRow extends Dated {
  readonly table: string
  readonly weights: readonly { readonly service: string; readonly weights: ClassPrices }[]
}

export interface CalendarRow extends HolidayCalendar {
  readonly displayName: string
  readonly source: string
}

export function lineKey({ service, side, supplier, model }: PriceLine): string {
  return JSON.stringify([service, side, supplier, model])
}

/** Best first. The order in which deployments are compared and offered, whatever the database's language sorts like. */
export function byPriority(a: Ranked, b: Ranked): number {
  return a.priority - b.priority || compareText(a.supplier, b.supplier) || compareText(a.model, b.model)
}

interface Ranked {
  readonly priority: number
  readonly supplier: string
  readonly model: string
}

function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** The id of a sheet that was given none: its line and the day, in China, on which it begins. */
export function sheetIdOf({ service, side, supplier, model }: PriceLine, validFromMs: number): string {
  return [service, side, ...(supplier === null ? [] : [supplier, model]), beginning(validFromMs)].join(':')
}

export function versionIdOf(table: string, validFromMs: number): string {
  return `${table}:${beginning(validFromMs)}`
}

function beginning(validFromMs: number): string {
  const date = chinaDate(validFromMs)
  const sinceMidnightMs = validFromMs - chinaMidnightMs(date)
  return sinceMidnightMs === 0 ? date : `${date}T${new Date(sinceMidnightMs).toISOString().slice(11, -1)}+08:00`
}

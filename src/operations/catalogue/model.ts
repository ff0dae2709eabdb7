/** When a price sheet counts: from `validFromMs` (inclusive) to `validToMs` (exclusive); null means until the next one begins. */
export interface Validity {
  readonly validFromMs: number
  readonly validToMs: number | null
}

export interface Lined<Sheet extends Validity> {
  /** In order of beginning, each open end closed by the next beginning. */
  readonly lined: readonly Sheet[]
  readonly overlaps: readonly { readonly earlier: Sheet; readonly later: Sheet }[]
}

/** Puts the sheets of one line of prices in order, so that at every instant at most one of them is in force. */
export function lineUpSheets<Sheet extends Validity>(sheets: readonly Sheet[]): Lined<Sheet> {
  const ordered = sheets.toSorted((a, b) => a.validFromMs - b.validFromMs)
  const lined: Sheet[] = []
  const overlaps: { earlier: Sheet; later: Sheet }[] = []
  let earlier: Sheet | undefined
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

export function sheetAt<Sheet extends Validity>(lined: readonly Sheet[], atMs: number): Sheet | undefined {
  return lined.find(({ validFromMs, validToMs }) => validFromMs <= atMs && (validToMs === null || atMs < validToMs))
}

export function gapAt(lined: readonly Validity[], atMs: number): boolean {
  return sheetAt(lined, atMs) === undefined
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

export interface SheetRow extends PriceLine, Validity {
  readonly id: string
  readonly taxPercent: number
  readonly prices: SheetPrices
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

const CHINA_OFFSET_MS = 8 * 3_600_000
const DAY_MS = 86_400_000

/** The id of a sheet that was given none: its line and the day, in China, on which it begins. */
export function sheetIdOf({ service, side, supplier, model }: PriceLine, validFromMs: number): string {
  const local = new Date(validFromMs + CHINA_OFFSET_MS).toISOString()
  const isMidnight = (validFromMs + CHINA_OFFSET_MS) % DAY_MS === 0
  const begins = isMidnight ? local.slice(0, 10) : `${local.slice(0, -1)}+08:00`
  return [service, side, ...(supplier === null ? [] : [supplier, model]), begins].join(':')
}

export function samePrices(a: SheetPrices, b: SheetPrices): boolean {
  return (
    a.uncachedInput === b.uncachedInput &&
    a.cacheWrite === b.cacheWrite &&
    a.cacheRead === b.cacheRead &&
    a.output === b.output &&
    a.reasoning === b.reasoning
  )
}

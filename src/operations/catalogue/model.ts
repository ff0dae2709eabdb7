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
      if (isTwin || (earlier.validToMs !== null && earlier.validToMs > later.validFromMs)) overlaps.push({ earlier, later })
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

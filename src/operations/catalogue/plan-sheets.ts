import { lineKey, lineUpSheets, samePrices } from './model.ts'
import type { SheetRow } from './model.ts'
import type { YamlPath } from './yaml-source.ts'

export interface DeclaredSheet {
  readonly row: SheetRow
  readonly path: YamlPath
}

export interface SheetPlan {
  readonly changes: readonly { readonly row: SheetRow; readonly action: 'created' | 'updated' | 'unchanged' }[]
  readonly mistakes: readonly { readonly path: YamlPath; readonly message: string }[]
}

/** Compares declared sheets with those in force. A sheet that has begun is a promise and keeps its prices. */
export function planSheets(declared: readonly DeclaredSheet[], inForce: readonly SheetRow[], nowMs: number): SheetPlan {
  const changes: { row: SheetRow; action: 'created' | 'updated' | 'unchanged' }[] = []
  const mistakes: { path: YamlPath; message: string }[] = []
  const byId = new Map(inForce.map((row) => [row.id, row]))
  const begun = new Map<string, SheetRow>()
  for (const row of inForce) if (row.validFromMs <= nowMs) begun.set(lineKey(row), row)

  const seen = new Set<string>()
  for (const { row, path } of declared) {
    const say = (message: string) => mistakes.push({ path, message })
    if (seen.has(row.id)) say(`the id ${row.id} is used by another sheet of this file`)
    seen.add(row.id)
    const existing = byId.get(row.id)
    if (!existing) {
      const current = begun.get(lineKey(row))
      if (current && row.validFromMs <= nowMs)
        say(`begins in the past, but ${current.id} is already in force: give a validFrom later than ${iso(nowMs)}`)
      changes.push({ row, action: 'created' })
    } else if (lineKey(existing) !== lineKey(row)) say(`the id ${row.id} is already used for other prices`)
    else changes.push({ row, action: compare(existing, row, nowMs, say) })
  }

  for (const { later, earlier } of overlapsWithRest(declared, inForce)) {
    const own = declared.find(({ row }) => row.id === later.id) ?? declared.find(({ row }) => row.id === earlier.id)
    const other = own?.row.id === later.id ? earlier : later
    if (own) mistakes.push({ path: own.path, message: `overlaps the price sheet ${other.id} that is already in force` })
  }
  return { changes, mistakes }
}

function compare(
  existing: SheetRow,
  row: SheetRow,
  nowMs: number,
  say: (message: string) => void,
): 'updated' | 'unchanged' {
  const isSameCore =
    existing.validFromMs === row.validFromMs &&
    existing.taxPercent === row.taxPercent &&
    samePrices(existing.prices, row.prices)
  const isSameEnd = existing.validToMs === row.validToMs
  if (isSameCore && isSameEnd) return 'unchanged'
  if (existing.validFromMs > nowMs) {
    if (row.validFromMs <= nowMs) say(`was to begin at ${iso(existing.validFromMs)} and cannot begin in the past`)
    return 'updated'
  }
  if (!isSameCore)
    say(
      `${row.id} has been in force since ${iso(existing.validFromMs)} and cannot change: add a new price sheet with a later validFrom`,
    )
  const hasEnded = existing.validToMs !== null && existing.validToMs <= nowMs
  if (hasEnded && !isSameEnd) say(`${row.id} has ended and cannot be given another end`)
  else if (!isSameEnd && row.validToMs !== null && row.validToMs <= nowMs)
    say(`${row.id} is in force and cannot end in the past`)
  return 'updated'
}

/** Overlaps that the file alone does not show: with sheets of the same line that it does not name. */
function overlapsWithRest(declared: readonly DeclaredSheet[], inForce: readonly SheetRow[]) {
  const ids = new Set(declared.map(({ row }) => row.id))
  const lines = Map.groupBy([...inForce.filter(({ id }) => !ids.has(id)), ...declared.map(({ row }) => row)], lineKey)
  return [...lines.values()].flatMap((rows) =>
    lineUpSheets(rows).overlaps.filter(({ earlier, later }) => !ids.has(earlier.id) || !ids.has(later.id)),
  )
}

function iso(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}

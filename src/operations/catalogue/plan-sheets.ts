import { lineKey, lineUpSheets, samePrices } from './model.ts'
import type { SheetRow } from './model.ts'
import type { YamlPath } from './yaml-source.ts'

export interface DeclaredSheet {
  readonly row: SheetRow
  readonly path: YamlPath
}

export interface SheetPlan {
  readonly changes: readonly { readonly row: SheetRow; readonly action: 'created' | 'updated' | 'unchanged' }[]
  /** Announced sheets that a declared one takes the place of. */
  readonly withdrawn: readonly SheetRow[]
  readonly mistakes: readonly { readonly path: YamlPath; readonly message: string }[]
}

/** What there is already. */
export interface SheetsThere {
  readonly inForce: readonly SheetRow[]
  readonly withdrawnIds: ReadonlySet<string>
}

/** Gateways hear of a change within moments; nothing may begin or end before all of them have. */
const NOTICE_MS = 60_000

/**
 * Compares declared sheets with those there are. What an id stands for never changes, not even before it begins: a gateway that
 * was cut off may charge by it, and its records must stay right. Lines in `unsureLines` are not checked for overlaps.
 */
export function planSheets(
  declared: readonly DeclaredSheet[],
  { inForce, withdrawnIds }: SheetsThere,
  nowMs: number,
  unsureLines: ReadonlySet<string>,
): SheetPlan {
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
      if (withdrawnIds.has(row.id))
        say(`the id ${row.id} was given to a price sheet that another one replaced: use a new id`)
      if (current && row.validFromMs < nowMs + NOTICE_MS)
        say(
          `begins in ${row.validFromMs <= nowMs ? 'the past' : 'less than 60 s'}, but ${current.id} is already in force: ` +
            `a new price of it begins at least 60 s after it is declared, so give a validFrom later than ${iso(nowMs + NOTICE_MS)}`,
        )
      changes.push({ row, action: 'created' })
    } else if (lineKey(existing) !== lineKey(row)) say(`the id ${row.id} is already used for other prices`)
    else changes.push({ row, action: compare(existing, row, nowMs, say) })
  }

  const withdrawn = replaced(declared, inForce, nowMs)
  const rest = inForce.filter((row) => !withdrawn.includes(row))
  for (const { later, earlier } of overlapsWithRest(declared, rest, unsureLines)) {
    const own = declared.find(({ row }) => row.id === later.id) ?? declared.find(({ row }) => row.id === earlier.id)
    const other = own?.row.id === later.id ? earlier : later
    if (own) mistakes.push({ path: own.path, message: `overlaps the price sheet ${other.id} that is already in force` })
  }
  return { changes, withdrawn, mistakes }
}

/** Announced sheets that the file no longer names, where it names another one of the same line for the same beginning. */
function replaced(declared: readonly DeclaredSheet[], inForce: readonly SheetRow[], nowMs: number) {
  const place = (row: SheetRow) => JSON.stringify([lineKey(row), row.validFromMs])
  const ids = new Set(declared.map(({ row }) => row.id))
  const places = new Set(declared.map(({ row }) => place(row)))
  return inForce.filter((row) => row.validFromMs >= nowMs + NOTICE_MS && !ids.has(row.id) && places.has(place(row)))
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
  if (!isSameCore)
    say(
      existing.validFromMs > nowMs
        ? `${row.id} has been announced for ${iso(existing.validFromMs)} and cannot change: write the new prices under a new id, with the same validFrom to replace it`
        : `${row.id} has been in force since ${iso(existing.validFromMs)} and cannot change: add a new price sheet with a later validFrom`,
    )
  const hasEnded = existing.validToMs !== null && existing.validToMs <= nowMs
  if (hasEnded && !isSameEnd) say(`${row.id} has ended and cannot be given another end`)
  else if (!isSameEnd && row.validToMs !== null && row.validToMs < nowMs + NOTICE_MS)
    say(
      `${row.id} cannot end earlier than 60 s after its end is declared: give a validTo later than ${iso(nowMs + NOTICE_MS)}`,
    )
  return 'updated'
}

/** Overlaps that the file alone does not show: with sheets of the same line that it does not name. */
function overlapsWithRest(
  declared: readonly DeclaredSheet[],
  inForce: readonly SheetRow[],
  unsureLines: ReadonlySet<string>,
) {
  const ids = new Set(declared.map(({ row }) => row.id))
  const lines = Map.groupBy([...inForce.filter(({ id }) => !ids.has(id)), ...declared.map(({ row }) => row)], lineKey)
  return [...lines].flatMap(([line, rows]) =>
    lineUpSheets(unsureLines.has(line) ? [] : rows).overlaps.filter(
      ({ earlier, later }) => !ids.has(earlier.id) || !ids.has(later.id),
    ),
  )
}

function iso(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}

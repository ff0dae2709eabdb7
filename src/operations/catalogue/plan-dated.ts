import { lineUp } from './model.ts'
import type { Dated } from './model.ts'
import type { YamlPath } from './yaml-source.ts'

export interface Declared<Row> {
  readonly row: Row
  readonly path: YamlPath
}

export interface DatedPlan<Row> {
  readonly changes: readonly { readonly row: Row; readonly action: 'created' | 'updated' | 'unchanged' }[]
  /** Announced ones that a declared one takes the place of. */
  readonly withdrawn: readonly Row[]
  readonly mistakes: readonly { readonly path: YamlPath; readonly message: string }[]
}

/** What there is already. */
export interface DatedThere<Row> {
  readonly inForce: readonly Row[]
  readonly withdrawnIds: ReadonlySet<string>
}

/** What is dated and named in usage records for ever: price sheets, versions of conversion tables. */
export interface DatedKind<Row extends Dated> {
  readonly noun: string
  /** What it states, in the plural. */
  readonly content: string
  /** Of those with one key at most one is in force at any instant. */
  readonly lineOf: (row: Row) => string
  /** Whether two state the same, however long they are valid. */
  readonly isSame: (a: Row, b: Row) => boolean
}

/** Gateways hear of a change within moments; nothing may begin or end before all of them have. */
const NOTICE_MS = 60_000

/**
 * Compares what is declared with what there is. What an id stands for never changes, not even before it begins: a gateway that
 * was cut off may charge by it, and its records must stay right. Lines in `unsureLines` are not checked for overlaps.
 */
export function planDated<Row extends Dated>(
  kind: DatedKind<Row>,
  { declared, unsureLines }: { readonly declared: readonly Declared<Row>[]; readonly unsureLines: ReadonlySet<string> },
  { inForce, withdrawnIds }: DatedThere<Row>,
  nowMs: number,
): DatedPlan<Row> {
  const { noun, content, lineOf } = kind
  const changes: { row: Row; action: 'created' | 'updated' | 'unchanged' }[] = []
  const mistakes: { path: YamlPath; message: string }[] = []
  const byId = new Map(inForce.map((row) => [row.id, row]))
  const begun = new Map<string, Row>()
  for (const row of inForce) if (row.validFromMs <= nowMs) begun.set(lineOf(row), row)

  const seen = new Set<string>()
  for (const { row, path } of declared) {
    const say = (message: string) => mistakes.push({ path, message })
    if (seen.has(row.id)) say(`the id ${row.id} is used by another ${noun} of this file`)
    seen.add(row.id)
    const existing = byId.get(row.id)
    if (!existing) {
      const current = begun.get(lineOf(row))
      if (withdrawnIds.has(row.id))
        say(`the id ${row.id} was given to a ${noun} that another one replaced: use a new id`)
      if (current && row.validFromMs < nowMs + NOTICE_MS)
        say(
          `begins in ${row.validFromMs <= nowMs ? 'the past' : 'less than 60 s'}, but ${current.id} is already in force: ` +
            `a new ${noun} begins at least 60 s after it is declared, so give a validFrom later than ${iso(nowMs + NOTICE_MS)}`,
        )
      changes.push({ row, action: 'created' })
    } else if (lineOf(existing) !== lineOf(row)) say(`the id ${row.id} is already used for other ${content}`)
    else changes.push({ row, action: compare(kind, existing, row, nowMs, say) })
  }

  const withdrawn = replaced(kind, declared, inForce, nowMs)
  const rest = inForce.filter((row) => !withdrawn.includes(row))
  for (const { later, earlier } of overlapsWithRest(kind, declared, rest, unsureLines)) {
    const own = declared.find(({ row }) => row.id === later.id) ?? declared.find(({ row }) => row.id === earlier.id)
    const other = own?.row.id === later.id ? earlier : later
    if (own) mistakes.push({ path: own.path, message: `overlaps the ${noun} ${other.id} that is already in force` })
  }
  return { changes, withdrawn, mistakes }
}

/** Announced sheets that the file no longer names, where it names another one of the same line for the same beginning. */
function replaced<Row extends Dated>(
  { lineOf }: DatedKind<Row>,
  declared: readonly Declared<Row>[],
  inForce: readonly Row[],
  nowMs: number,
) {
  const place = (row: Row) => JSON.stringify([lineOf(row), row.validFromMs])
  const ids = new Set(declared.map(({ row }) => row.id))
  const places = new Set(declared.map(({ row }) => place(row)))
  return inForce.filter((row) => row.validFromMs >= nowMs + NOTICE_MS && !ids.has(row.id) && places.has(place(row)))
}

function compare<Row extends Dated>(
  { noun, content, isSame }: DatedKind<Row>,
  existing: Row,
  row: Row,
  nowMs: number,
  say: (message: string) => void,
): 'updated' | 'unchanged' {
  const isSameCore = existing.validFromMs === row.validFromMs && isSame(existing, row)
  const isSameEnd = existing.validToMs === row.validToMs
  if (isSameCore && isSameEnd) return 'unchanged'
  if (!isSameCore)
    say(
      existing.validFromMs > nowMs
        ? `${row.id} has been announced for ${iso(existing.validFromMs)} and cannot change: write the new ${content} under a new id, with the same validFrom to replace it`
        : `${row.id} has been in force since ${iso(existing.validFromMs)} and cannot change: add a new ${noun} with a later validFrom`,
    )
  const hasEnded = existing.validToMs !== null && existing.validToMs <= nowMs
  if (hasEnded && !isSameEnd) say(`${row.id} has ended and cannot be given another end`)
  else if (!isSameEnd && row.validToMs !== null && row.validToMs < nowMs + NOTICE_MS)
    say(
      `${row.id} cannot end earlier than 60 s after its end is declared: give a validTo later than ${iso(nowMs + NOTICE_MS)}`,
    )
  return 'updated'
}

/** Overlaps that the file alone does not show: with those of the same line that it does not name. */
function overlapsWithRest<Row extends Dated>(
  { lineOf }: DatedKind<Row>,
  declared: readonly Declared<Row>[],
  inForce: readonly Row[],
  unsureLines: ReadonlySet<string>,
) {
  const ids = new Set(declared.map(({ row }) => row.id))
  const lines = Map.groupBy([...inForce.filter(({ id }) => !ids.has(id)), ...declared.map(({ row }) => row)], lineOf)
  return [...lines].flatMap(([line, rows]) =>
    lineUp(unsureLines.has(line) ? [] : rows).overlaps.filter(
      ({ earlier, later }) => !ids.has(earlier.id) || !ids.has(later.id),
    ),
  )
}

function iso(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}

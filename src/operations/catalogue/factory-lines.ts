import type * as z from 'zod'
import { field } from './factory-parts.ts'
import { gapAt, lineUp } from './model.ts'
import type { YamlPath } from './yaml-source.ts'

export type Say = (path: YamlPath, message: string, of?: 'key' | 'value') => void

interface RawLine {
  readonly raw: readonly unknown[]
  readonly schema: z.ZodType<{ readonly validFrom: number; readonly validTo?: number | null | undefined }>
  readonly path: YamlPath
  /** Ids of the whole file, filled on the way. */
  readonly seen: Map<string, YamlPath>
  readonly noun: string
  /** What one overlaps that should not: `another sell price sheet of this service`. */
  readonly another: string
  /** What is said where none is in force at this moment; left out: none need be. */
  readonly gap?: { readonly message: string; readonly nowMs: number }
}

/** What is dated in one line: own ids, an end after the beginning, no overlap, and one that is in force now where one is needed. */
export function checkLine({ raw, schema, path, seen, noun, another, gap }: RawLine, say: Say): void {
  const rows: { readonly path: YamlPath; readonly validFromMs: number; readonly validToMs: number | null }[] = []
  let isWhole = raw.length > 0
  for (const [index, item] of raw.entries()) {
    const own = [...path, index]
    const id = field(item, 'id')
    if (typeof id === 'string') {
      if (seen.has(id))
        say([...own, 'id'], `the ${noun} ${id} is already in this file; such ids are unique throughout it`)
      seen.set(id, own)
    }
    const parsed = schema.safeParse(item)
    isWhole &&= parsed.success
    if (!parsed.success) continue
    const { validFrom, validTo = null } = parsed.data
    if (validTo !== null && validTo <= validFrom) {
      say([...own, 'validTo'], 'ends before it begins')
      isWhole = false
      continue
    }
    rows.push({ path: own, validFromMs: validFrom, validToMs: validTo })
  }
  const { overlaps, lined } = lineUp(rows)
  for (const { later } of overlaps) say([...later.path, 'validFrom'], `overlaps ${another}`)
  if (gap && isWhole && overlaps.length === 0 && gapAt(lined, gap.nowMs)) say(path, gap.message)
}

import { sortableId } from '#kernel'
import { randomWords } from '#platform/crypto'

const random = randomWords(64)

/** `quo_`, `ord_` and `sub_`: the prefix tells a reader of a log what an id is of. */
export function newId(prefix: 'quo' | 'ord' | 'sub', nowMs: number): string {
  return `${prefix}_${sortableId(nowMs, random)}`
}

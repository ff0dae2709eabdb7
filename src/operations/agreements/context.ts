import { sortableId } from '#kernel'
import type { Clock } from '#platform/clock'
import { randomWords } from '#platform/crypto'
import type { Database } from '#platform/postgres'

export interface AgreementsDeps {
  readonly database: Database
  readonly clock: Clock
}

/** Who acts; a supplier's user sees and does only what is the supplier's. */
export interface Actor {
  readonly by: string
}

const random = randomWords(64)

/** `agr_`, `cof_`, `lot_`, `bat_`: the prefix tells a reader of a log what an id is of. */
export const newId = (prefix: 'agr' | 'cof' | 'lot' | 'bat', nowMs: number): string =>
  `${prefix}_${sortableId(nowMs, random)}`

import type { Database, Transaction } from '#platform/postgres'

/** The program died: what it was in the middle of did not happen, or happened without anybody hearing of it. */
export class Died extends Error {
  override readonly name = 'Died'
}

export interface MortalDatabase extends Database {
  /** Moments at which this program could have died so far: before and after every statement and every commit. */
  readonly moments: number
  readonly isDead: boolean
  /** Another program starts on the same database. */
  revive(): void
}

/**
 * A database whose program dies at the `killAt`-th moment, counted from 1. A transaction under way is rolled back as the server does
 * it when a connection is gone; one that was committed stays, though nobody hears of it.
 */
export function mortalDatabase(database: Database, killAt: number): MortalDatabase {
  let moments = 0
  let isDead = false
  const moment = (): void => {
    if (isDead) throw new Died()
    moments++
    if (moments !== killAt) return
    isDead = true
    throw new Died()
  }
  return {
    async rows(statement) {
      moment()
      return database.rows(statement)
    },
    async transaction(work, isolation) {
      moment()
      const result = await database.transaction(async (tx) => {
        const mortal: Transaction = {
          inTransaction: true,
          async rows(statement) {
            const rows = await tx.rows(statement)
            moment()
            return rows as never
          },
          async copy(statement, lines) {
            await tx.copy(statement, lines)
            moment()
          },
        }
        return work(mortal)
      }, isolation)
      moment()
      return result
    },
    get moments() {
      return moments
    },
    get isDead() {
      return isDead
    },
    revive() {
      isDead = false
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}

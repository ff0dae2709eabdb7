import { sqlState } from './database.ts'
import type { Database } from './database.ts'

const MOST_ATTEMPTS = 5

/** Serialization failure, deadlock: PostgreSQL chose a transaction to give way, and the same work may succeed at once. */
const GAVE_WAY: ReadonlySet<string | undefined> = new Set(['40001', '40P01'])

/**
 * The same database, whose transactions start over where they had to give way to others, five times at most. `work` may therefore run
 * more than once, and must change nothing but the database.
 */
export function withRetries(database: Database): Database {
  return {
    rows: (statement) => database.rows(statement),
    async transaction(work, isolation) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await database.transaction(work, isolation)
        } catch (error) {
          if (attempt === MOST_ATTEMPTS || !gaveWay(error)) throw error
        }
      }
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}

/** Also where a room has wrapped the failure to say what it was doing. */
function gaveWay(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) if (GAVE_WAY.has(sqlState(each))) return true
  return false
}

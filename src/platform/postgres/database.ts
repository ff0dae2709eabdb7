import pg from 'pg'
import { copyFrom } from './copy.ts'
import type { Statement } from './sql.ts'

/** What a store needs: run a statement. The pool and a transaction are both one. */
export interface Queryable {
  /**
   * Rows as plain objects. `int8` and `count(*)` arrive as bigint, `numeric` as string (see `integerFromNumeric`), `date` as
   * `YYYY-MM-DD` text, `timestamptz` as Date, `jsonb` parsed.
   */
  rows<Row>(statement: Statement): Promise<Row[]>
}

export interface Transaction extends Queryable {
  readonly inTransaction: true
  /** `copy … from stdin`, a statement without parameters. `lines` are rows of `copyValue`s joined by tabs, each ended by a line feed. */
  copy(statement: Statement, lines: string): Promise<void>
}

export type Isolation = 'read committed' | 'repeatable read' | 'serializable'

export interface Database extends Queryable, AsyncDisposable {
  /** Commits when `work` resolves, rolls back when it throws. Read committed unless stated; nothing is retried (see `withRetries`). */
  transaction<T>(work: (tx: Transaction) => Promise<T>, isolation?: Isolation): Promise<T>
}

export interface DatabaseOptions {
  /** Connections in the pool; 10 unless stated. */
  readonly max?: number
  readonly applicationName?: string
  /** Any single statement longer than this is cancelled by the server; no limit unless stated. */
  readonly statementTimeoutMs?: number
  /** Hears of connections that broke while idle (the pool replaces them by itself). */
  readonly onIdleError?: (error: Error) => void
}

const { builtins } = pg.types
/** Array types have no name in `builtins`. */
const INT8_ARRAY = 1016
const textParser = (text: string): string => text
const parsers = new Map<number, (text: string) => unknown>([
  [builtins.INT8, (text) => BigInt(text)],
  [builtins.NUMERIC, textParser],
  [builtins.DATE, textParser],
  [
    INT8_ARRAY,
    (text) =>
      text === '{}'
        ? []
        : text
            .slice(1, -1)
            .split(',')
            .map((part) => (part === 'NULL' ? null : BigInt(part))),
  ],
])

/** Given per pool and not set globally, so that no other user of `pg` in the process is surprised. */
const types = {
  getTypeParser: (oid: number, format?: string): unknown =>
    (format !== 'binary' && parsers.get(oid)) || pg.types.getTypeParser(oid, format as 'text'),
}

/** Opens a pool; connections are made on demand, so a wrong URL is noticed by the first statement. */
export function openDatabase(connectionString: string, options: DatabaseOptions = {}): Database {
  const pool = new pg.Pool({
    connectionString,
    max: options.max ?? 10,
    connectionTimeoutMillis: 10_000,
    application_name: options.applicationName ?? 'tokenfactory',
    types,
    ...(options.statementTimeoutMs === undefined ? {} : { statement_timeout: options.statementTimeoutMs }),
  })
  // Without a listener, a restart of the server would end this process.
  pool.on('error', (error) => options.onIdleError?.(error))
  return {
    rows: runOn(pool),
    async transaction(work, isolation = 'read committed') {
      const client = await pool.connect()
      // A connection that breaks between two statements reports here; the next statement then fails anyway.
      const ignore = (): void => undefined
      client.on('error', ignore)
      let broken: Error | undefined
      try {
        await client.query(`begin isolation level ${isolation}`)
        const result = await work({
          rows: runOn(client),
          copy: (statement, lines) => copyFrom(client, statement.text, Buffer.from(lines)),
          inTransaction: true,
        })
        await client.query('commit')
        return result
      } catch (error) {
        await client.query('rollback').catch((cause: Error) => {
          broken = cause
        })
        throw error
      } finally {
        client.off('error', ignore)
        client.release(broken)
      }
    },
    [Symbol.asyncDispose]: () => pool.end(),
  }
}

function runOn(client: pg.Pool | pg.PoolClient) {
  return async <Row>(statement: Statement): Promise<Row[]> => {
    const { text, name, values } = statement
    const result = await client.query({ text, ...(name ? { name, values: [...(values ?? [])] } : {}) })
    // A script of several statements answers with several results, none of which anyone reads.
    return (result.rows ?? []) as Row[]
  }
}

/** The exact integer in a `numeric` column. Throws on fractions, NaN and infinities. */
export function integerFromNumeric(text: string): bigint {
  const match = /^(-?\d+)(?:\.0*)?$/.exec(text)
  if (!match?.[1]) throw new RangeError(`not an integer: ${text}`)
  return BigInt(match[1])
}

/** The SQLSTATE of a failure (`23505` unique violation, `23514` check violation, `40001` serialization, `40P01` deadlock), if it is one of PostgreSQL's. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined
}

/** The violated constraint's name, if the failure is a violation. */
export function violatedConstraint(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.constraint : undefined
}

import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Database, Transaction } from './database.ts'
import { script, sql } from './sql.ts'

export interface MigrateResult {
  /** `0003_charging`: the newest migration, which is now in force. */
  readonly version: string
  /** What this call applied, oldest first. */
  readonly applied: readonly string[]
}

interface Migration {
  readonly name: string
  readonly text: string
  readonly checksum: string
}

/** Any constant works; it only has to differ from other advisory locks of the same database. */
const LOCK = 7_206_540_001n

/**
 * Brings the database to the newest of `dir`'s `NNNN_name.sql`, forward only, each in its own transaction. Several processes may
 * call it at once: one works, the others wait. Throws when an applied migration was edited or is unknown here.
 */
export async function migrate(database: Database, dir: string): Promise<MigrateResult> {
  const migrations = await readMigrations(dir)
  const applied: string[] = []
  await database.transaction(async (tx) => {
    await lock(tx)
    await tx.rows(script('create schema if not exists platform'))
    await tx.rows(
      script(`create table if not exists platform.migration (
        name       text primary key,
        checksum   text not null,
        applied_at timestamptz not null default now()
      )`),
    )
  })
  for (const migration of migrations) {
    const fresh = await database.transaction(async (tx) => {
      await lock(tx)
      if (await isApplied(tx, migrations, migration)) return false
      await tx.rows(script(migration.text)).catch((error: Error) => {
        throw new Error(`migration ${migration.name} failed: ${error.message}`, { cause: error })
      })
      await tx.rows(
        sql`insert into platform.migration (name, checksum) values (${migration.name}, ${migration.checksum})`,
      )
      return true
    })
    if (fresh) applied.push(migration.name)
  }
  return { version: migrations.at(-1)?.name ?? '0000', applied }
}

/** The newest migration that the database has seen, or undefined for one that was never migrated. */
export async function schemaVersion(database: Database): Promise<string | undefined> {
  const [there] = await database.rows<{ there: boolean }>(
    sql`select to_regclass('platform.migration') is not null as there`,
  )
  if (!there?.there) return undefined
  const [row] = await database.rows<{ name: string | null }>(sql`select max(name) as name from platform.migration`)
  return row?.name ?? undefined
}

async function lock(tx: Transaction): Promise<void> {
  await tx.rows(sql`select pg_advisory_xact_lock(${LOCK})`)
}

async function isApplied(tx: Transaction, migrations: readonly Migration[], migration: Migration): Promise<boolean> {
  const rows = await tx.rows<{ name: string; checksum: string }>(
    sql`select name, checksum from platform.migration order by name`,
  )
  for (const row of rows) {
    const ours = migrations.find((candidate) => candidate.name === row.name)
    if (!ours)
      throw new Error(
        `the database has migration ${row.name}, which this program does not know: it is newer than this program`,
      )
    if (ours.checksum !== row.checksum) {
      throw new Error(
        `migration ${row.name} was edited after it had been applied: restore the file and add a new migration instead`,
      )
    }
  }
  const newest = rows.at(-1)?.name
  if (rows.some((row) => row.name === migration.name)) return true
  if (newest && migration.name < newest)
    throw new Error(`migration ${migration.name} sorts before ${newest}, which is already applied: renumber it`)
  return false
}

async function readMigrations(dir: string): Promise<Migration[]> {
  const names = (await readdir(dir)).filter((name) => name.endsWith('.sql')).toSorted()
  const odd = names.find((name) => !/^\d{4}_[a-z0-9_]+\.sql$/.test(name))
  if (odd) throw new Error(`${odd}: a migration is named NNNN_words_in_lower_case.sql`)
  const numbers = names.map((name) => name.slice(0, 4))
  const twice = numbers.find((number, index) => numbers.indexOf(number) !== index)
  if (twice) throw new Error(`two migrations have the number ${twice}`)
  return Promise.all(
    names.map(async (name) => {
      // Line ends must not matter: a checkout on Windows rewrites them.
      const text = (await readFile(join(dir, name), 'utf8')).replaceAll('\r\n', '\n')
      return { name: name.slice(0, -4), text, checksum: createHash('sha256').update(text).digest('hex') }
    }),
  )
}

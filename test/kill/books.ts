import { readFileSync } from 'node:fs'
import { openDatabase, sql } from '#platform/postgres'
import { commandLine, processTree } from '../../bench/rig/measure.ts'
import type { Factory } from '../factory.ts'

/** One usage record as it stands in the database. */
export interface BookedRecord {
  readonly id: string
  readonly tenant: string
  readonly ending: string
  readonly input: bigint
  readonly output: bigint
  readonly sell: string
}

export interface Books {
  readonly records: readonly BookedRecord[]
  readonly wallets: ReadonlyMap<string, { readonly posted: bigint; readonly escrowed: bigint }>
}

/** Reads the books past every program of ours, straight from the running factory's own PostgreSQL. */
export async function readBooks(factory: Factory): Promise<Books> {
  await using database = openDatabase(databaseUrl(factory), { max: 1 })
  const records = await database.rows<BookedRecord>(sql`
    select id, tenant, ending, uncached_input + cache_write + cache_read as input, output + reasoning as output, sell::text as sell
      from charging.usage_record
  `)
  const wallets = await database.rows<{ tenant: string; posted: string; escrowed: string }>(sql`
    select tenant, posted::text as posted, escrowed::text as escrowed from charging.bucket where kind = 'wallet'
  `)
  return {
    records,
    wallets: new Map(
      wallets.map(({ tenant, posted, escrowed }) => [tenant, { posted: BigInt(posted), escrowed: BigInt(escrowed) }]),
    ),
  }
}

/** The embedded database's address is told to the control plane only, through its environment. */
function databaseUrl(factory: Factory): string {
  const control = processTree(factory.pid).find((pid) => commandLine(pid).includes('apps/control.ts'))
  if (control === undefined) throw new Error('the factory has no control plane')
  const environment = readFileSync(`/proc/${control}/environ`, 'utf8').split('\0')
  const url = environment.find((variable) => variable.startsWith('DATABASE_URL='))
  if (url === undefined) throw new Error('the control plane has no DATABASE_URL')
  return url.slice('DATABASE_URL='.length)
}

/** Process ids of the embedded PostgreSQL's server, which leads a process group of its own. */
export function postgresLeaders(factory: Factory): readonly number[] {
  return processTree(factory.pid).filter((pid) => /\bpostgres(?:\.bin)? -D|\bpostgres\b.* -D /.test(commandLine(pid)))
}

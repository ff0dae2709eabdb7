import { randomBytes } from 'node:crypto'
import { openDatabase, script } from '#platform/postgres'
import type { Database, DatabaseOptions } from '#platform/postgres'

export interface FreshDatabase extends Database {
  /** For code under test that opens its own connections. */
  readonly url: string
}

/** A migrated database of its own, cloned from the run's template in a fifth of a second; `await using` drops it. */
export async function freshDatabase(options: DatabaseOptions = {}): Promise<FreshDatabase> {
  const server = process.env['TEST_DATABASE_URL']
  const template = process.env['TEST_DATABASE_TEMPLATE']
  if (!server || !template)
    throw new Error('no PostgreSQL: name the file *.integration.test.ts, so that the run sets one up')
  const name = `t_${process.pid}_${randomBytes(6).toString('hex')}`
  await administer(server, `create database ${name} template ${template}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  const database = openDatabase(url.href, options)
  return {
    url: url.href,
    rows: database.rows,
    transaction: database.transaction,
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]()
      await administer(server, `drop database ${name} with (force)`)
    },
  }
}

async function administer(server: string, text: string): Promise<void> {
  await using admin = openDatabase(server, { max: 1 })
  await admin.rows(script(text))
}

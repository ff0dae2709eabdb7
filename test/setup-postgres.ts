import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createLog } from '#platform/log'
import { migrate, openDatabase, script, startEmbeddedPostgres } from '#platform/postgres'

/**
 * Once per run: one PostgreSQL (the embedded one in a temporary folder, or the one named by TEST_DATABASE_URL) and in it a
 * migrated template that every test clones. The server goes away with the run.
 */
export default async function setUp(): Promise<() => Promise<void>> {
  await using undo = new AsyncDisposableStack()
  const given = process.env['TEST_DATABASE_URL']
  const url = given ?? (await startTemporary(undo))
  const template = `template_${randomBytes(6).toString('hex')}`
  const admin = openDatabase(url, { max: 1 })
  undo.use(admin)
  await admin.rows(script(`create database ${template}`))
  undo.defer(async () => void (await admin.rows(script(`drop database if exists ${template} with (force)`))))
  {
    await using database = openDatabase(databaseUrl(url, template), { max: 1 })
    await migrate(database, resolve(import.meta.dirname, '../migrations'))
  }
  process.env['TEST_DATABASE_URL'] = url
  process.env['TEST_DATABASE_TEMPLATE'] = template
  undo.defer(() => {
    if (given === undefined) delete process.env['TEST_DATABASE_URL']
    delete process.env['TEST_DATABASE_TEMPLATE']
  })
  const rest = undo.move()
  return () => rest.disposeAsync()
}

async function startTemporary(undo: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tokenfactory-test-'))
  undo.defer(() => rm(folder, { recursive: true, force: true }))
  const server = await startEmbeddedPostgres({
    dataDir: folder,
    log: createLog({ name: 'test', level: 'error' }),
    durable: false,
  })
  undo.defer(() => server.stop())
  return server.url
}

function databaseUrl(server: string, name: string): string {
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}

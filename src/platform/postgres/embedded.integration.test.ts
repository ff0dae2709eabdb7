import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { nullLog } from '#platform/log'
import type { Log } from '#platform/log'
import { openDatabase, script, sql, startEmbeddedPostgres } from '#platform/postgres'

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'tokenfactory-pg-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

async function started(dataDir: string, log: Log = nullLog) {
  const server = await startEmbeddedPostgres({ dataDir, log, durable: false })
  return Object.assign(server, { [Symbol.asyncDispose]: () => server.stop() })
}

/** A process that has ended but was not reaped (an orphan in a container without an init) is not alive. */
function isAlive(pid: number | undefined): boolean {
  const state = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim()
  return state !== '' && !state.startsWith('Z')
}

test('what is written survives a stop and a start, and the server is gone in between', async () => {
  await using folder = await temporaryFolder()
  let pid: number | undefined
  {
    await using server = await started(folder.path)
    pid = server.pid
    await using database = openDatabase(server.url)
    await database.rows(script('create table kept as select 7 as n'))
  }
  expect(isAlive(pid)).toBe(false)
  await using server = await started(folder.path)
  await using database = openDatabase(server.url)
  expect(await database.rows(sql`select n from kept`)).toEqual([{ n: 7 }])
})

test('the server asks for its password, which only the owner may read', async () => {
  await using folder = await temporaryFolder()
  await using server = await started(folder.path)
  expect((await stat(join(folder.path, 'password'))).mode & 0o777).toBe(0o600)
  const url = new URL(server.url)
  expect(url.hostname).toBe('127.0.0.1')
  url.password = 'wrong'
  await using database = openDatabase(url.href)
  await expect(database.rows(sql`select 1`)).rejects.toThrow('password authentication failed')
})

test('a server that is killed comes back on the same port, loudly', async () => {
  await using folder = await temporaryFolder()
  const said: string[] = []
  const back = Promise.withResolvers<void>()
  const log: Log = {
    ...nullLog,
    error: (_, message) => void said.push(message),
    warn: (_, message) => message === 'PostgreSQL is back' && back.resolve(),
  }
  await using server = await started(folder.path, log)
  process.kill(server.pid ?? 0, 'SIGKILL')
  await back.promise
  expect(said).toContain('PostgreSQL ended unexpectedly and will be restarted')
  await using database = openDatabase(server.url)
  expect(await database.rows(sql`select 1 as one`)).toEqual([{ one: 1 }])
})

test('after kill -9 of the supervisor the next start works and finds the data', async () => {
  await using folder = await temporaryFolder()
  const program = `
    import { startEmbeddedPostgres, openDatabase, script } from '#platform/postgres'
    import { nullLog } from '#platform/log'
    const server = await startEmbeddedPostgres({ dataDir: process.argv[1], log: nullLog, durable: false })
    await using database = openDatabase(server.url)
    await database.rows(script('create table kept as select 7 as n'))
    console.log(server.pid)
    setInterval(() => {}, 1000)
  `
  const supervisor = spawn(process.execPath, ['--input-type=module-typescript', '-e', program, folder.path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(supervisor.stdout, 'data')) as [Buffer]
  const orphan = Number(line.toString())
  expect(isAlive(orphan)).toBe(true)
  supervisor.kill('SIGKILL')
  await once(supervisor, 'exit')
  await using server = await started(folder.path)
  expect(isAlive(orphan)).toBe(false)
  await using database = openDatabase(server.url)
  expect(await database.rows(sql`select n from kept`)).toEqual([{ n: 7 }])
})

test('a creation that was cut short is swept away', async () => {
  await using folder = await temporaryFolder()
  await mkdir(join(folder.path, 'cluster-18.init-1', 'base'), { recursive: true })
  await using _ = await started(folder.path)
  expect((await readdir(folder.path)).toSorted()).toEqual(['cluster-18', 'password'])
})

test('the folder may lie where only its owner can go', async () => {
  await using folder = await temporaryFolder()
  await chmod(folder.path, 0o700)
  const inner = join(folder.path, 'data', 'postgres')
  await using server = await started(inner)
  expect(isAlive(server.pid)).toBe(true)
  expect((await stat(join(inner, 'cluster-18'))).mode & 0o777).toBe(0o700)
})

test('data without its password file is refused in one sentence', async () => {
  await using folder = await temporaryFolder()
  await (await started(folder.path)).stop()
  await rm(join(folder.path, 'password'))
  await expect(started(folder.path)).rejects.toThrow('password is missing')
})

test('a stale process id of somebody else does not keep the server from starting', async () => {
  await using folder = await temporaryFolder()
  await (await started(folder.path)).stop()
  const pidFile = join(folder.path, 'cluster-18', 'postmaster.pid')
  await writeFile(pidFile, `${process.pid}\n${folder.path}\n`)
  await using server = await started(folder.path)
  expect(Number((await readFile(pidFile, 'utf8')).split('\n')[0])).toBe(server.pid)
})

import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Snapshot } from '#contract'
import { freshDatabase } from '../../test/database.ts'
import type { FreshDatabase } from '../../test/database.ts'

const PROGRAM = fileURLToPath(new URL('control.ts', import.meta.url))
let database: FreshDatabase
let dataDir: string

beforeAll(async () => {
  database = await freshDatabase()
  dataDir = await mkdtemp(join(tmpdir(), 'tokenfactory-control-'))
})
afterAll(async () => {
  await rm(dataDir, { recursive: true, force: true })
  await database[Symbol.asyncDispose]()
})

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}

function start(port: number, changed: NodeJS.ProcessEnv = {}) {
  const child = fork(PROGRAM, { env: { ...process.env, ...environment(port), ...changed }, silent: true })
  let errors = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text))
  return { child, errors: () => errors }
}

function environment(port: number): NodeJS.ProcessEnv {
  return {
    DATABASE_URL: database.url,
    CONTROL_PORT: String(port),
    DATA_DIR: dataDir,
    ENGINE_URL: 'http://127.0.0.1:9/v1',
    LOG_LEVEL: 'warn',
  }
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode
  const [code] = (await once(child, 'exit')) as [number | null]
  return code
}

test('two that start at once on an empty folder agree on the secrets, serve, and end cleanly', async () => {
  const ports = [await freePort(), await freePort()]
  const [first = 0] = ports
  const programs = ports.map((port) => start(port))
  const messages = await Promise.all(programs.map(async ({ child }) => (await once(child, 'message'))[0] as unknown))
  expect(messages).toEqual(ports.map((port) => ({ ready: true, port })))

  const token = (await readFile(join(dataDir, 'internal-token'), 'utf8')).trim()
  for (const name of ['internal-token', 'admin-token', 'admin-password'])
    expect((await stat(join(dataDir, name))).mode & 0o777).toBe(0o600)
  for (const port of ports) {
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200)
    expect(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).toContain(
      'tokenfactory_control_requests_total{area="probe"',
    )
    const reply = await fetch(`http://127.0.0.1:${port}/internal/v1/snapshot?after=0`, {
      headers: { authorization: `Bearer ${token}` },
    })
    Snapshot.parse(await reply.json())
  }
  const password = (await readFile(join(dataDir, 'admin-password'), 'utf8')).trim()
  const signedIn = await fetch(`http://127.0.0.1:${first}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'admin@factory.local', password }),
  })
  expect(await signedIn.json()).toMatchObject({ role: 'operator' })

  // One is asked to end while a gateway waits for news; the other loses its supervisor.
  const [asked, orphaned] = programs
  const waiting = fetch(`http://127.0.0.1:${first}/internal/v1/snapshot?after=1000000`, {
    headers: { authorization: `Bearer ${token}` },
  })
  await fetch(`http://127.0.0.1:${first}/healthz`)
  asked?.child.kill('SIGTERM')
  orphaned?.child.disconnect()
  expect((await waiting).status).toBe(204)
  expect(await Promise.all(programs.map(({ child }) => exitOf(child)))).toEqual([0, 0])
})

test('a port in use and a wrong setting end it with one clear line', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const inUse = start(port)
  expect(await exitOf(inUse.child)).toBe(1)
  expect(inUse.errors()).toMatch(new RegExp(`^control: .*EADDRINUSE.*:${port}\\n$`))
  taken.close()
  const wrong = start(port, { CONTROL_PORT: 'eighty', GATEWAY_URL: 'ftp://x' })
  expect(await exitOf(wrong.child)).toBe(1)
  expect(wrong.errors()).toMatch(/^control: wrong settings: .*CONTROL_PORT.*GATEWAY_URL.*\n$/)
})

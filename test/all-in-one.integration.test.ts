import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'

/** What the supervisor tells its parent when everything serves. */
interface Ready {
  readonly apiUrl: string
  readonly controlUrl: string
  readonly pids: Readonly<Record<string, number>>
}

const PROGRAM = resolve(import.meta.dirname, '../src/apps/all-in-one.ts')

function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), 'tokenfactory-all-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** Below the range the system hands out itself, so that no socket of a test beside this one takes the port before it is used. */
async function freePort(): Promise<number> {
  const port = randomInt(10_000, 32_000)
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return freePort()
  }
  server.close()
  await once(server, 'close')
  return port
}

async function settings(dataDir: string): Promise<NodeJS.ProcessEnv> {
  return {
    ...process.env,
    DATABASE_URL: '',
    DATA_DIR: dataDir,
    GATEWAY_PORT: String(await freePort()),
    CONTROL_PORT: String(await freePort()),
    GATEWAY_WORKERS: '1',
  }
}

/** Starts the whole factory and stops it at the end of the test. */
function launch(env: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, [PROGRAM], { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text))
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  const ready = new Promise<Ready>((done, fail) => {
    child.once('message', (message) => done(message as Ready))
    void ended.then(() => fail(new Error(`ended before it was ready: ${output}`)))
  })
  ready.catch(() => undefined)
  return {
    child,
    ready,
    ended,
    get output() {
      return output
    },
    async [Symbol.asyncDispose]() {
      // Properly, so that nothing writes into the folder any more when it is removed.
      if (isRunning(child)) child.kill('SIGTERM')
      await ended
    },
  }
}

const isRunning = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null

function isAlive(pid: number): boolean {
  const state = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim()
  return state !== '' && !state.startsWith('Z')
}

async function untilGone(pids: readonly number[]): Promise<void> {
  while (pids.some(isAlive)) await new Promise((done) => setTimeout(done, 20))
}

test(
  'it starts on an empty folder, serves with the demo key, stops on SIGTERM and keeps its state',
  { timeout: 120_000 },
  async () => {
    using folder = temporaryFolder()
    const env = await settings(folder.path)
    let key = ''
    {
      await using factory = launch(env)
      const { apiUrl, pids } = await factory.ready
      key = readFileSync(join(folder.path, 'demo-key'), 'utf8').trim()
      for (const name of ['demo-key', 'admin-token', 'admin-password', 'internal-token', 'lock']) {
        expect(statSync(join(folder.path, name)).mode & 0o777).toBe(0o600)
      }
      expect(factory.output).toContain(key)
      const curl = /^ {2}(curl .*)$/m.exec(factory.output)?.[1] ?? ''
      expect(curl).toContain(`${apiUrl}/chat/completions`)
      expect(spawnSync('sh', ['-c', curl], { encoding: 'utf8' }).stdout).toMatch(/^data: \{.*data: \[DONE\]\s*$/s)

      factory.child.kill('SIGTERM')
      expect(await factory.ended).toEqual([0, null])
      await untilGone(Object.values(pids))
    }
    await using factory = launch(env)
    const { apiUrl } = await factory.ready
    const models = await fetch(`${apiUrl}/models`, { headers: { authorization: `Bearer ${key}` } })
    expect(models.status).toBe(200)
    await models.body?.cancel()
    expect(factory.output).toContain(key)
    expect(factory.output).not.toContain(readFileSync(join(folder.path, 'admin-password'), 'utf8').trim())
  },
)

test('a second instance on the same folder is refused in one line', { timeout: 120_000 }, async () => {
  using folder = temporaryFolder()
  await using first = launch(await settings(folder.path))
  await first.ready
  await using second = launch(await settings(folder.path))
  expect(await second.ended).toEqual([1, null])
  expect(second.output).toBe(
    `[tokenfactory] ${folder.path} is in use by another instance (process ${String(first.child.pid)}): stop it, or set DATA_DIR\n`,
  )
})

test('after kill -9 of the supervisor nothing is left running, and it starts again', { timeout: 120_000 }, async () => {
  using folder = temporaryFolder()
  const env = await settings(folder.path)
  {
    await using factory = launch(env)
    const { pids } = await factory.ready
    expect(Object.keys(pids).toSorted()).toEqual(['control', 'engine', 'gateway'])
    factory.child.kill('SIGKILL')
    await untilGone(Object.values(pids))
  }
  await using factory = launch(env)
  await factory.ready
  factory.child.kill('SIGTERM')
  expect(await factory.ended).toEqual([0, null])
})

test('a child that is killed is replaced, and the factory goes on', { timeout: 120_000 }, async () => {
  using folder = temporaryFolder()
  await using factory = launch(await settings(folder.path))
  const { apiUrl, pids } = await factory.ready
  process.kill(pids['gateway'] ?? 0, 'SIGKILL')
  const key = readFileSync(join(folder.path, 'demo-key'), 'utf8').trim()
  for (;;) {
    const reply = await fetch(`${apiUrl}/models`, { headers: { authorization: `Bearer ${key}` } }).catch(
      () => undefined,
    )
    await reply?.body?.cancel()
    if (reply?.ok && factory.output.includes('gateway is back')) break
    await new Promise((done) => setTimeout(done, 50))
  }
  expect(factory.output).toContain('gateway died (SIGKILL)')
})

test(
  'settings that are not the defaults reach every program, and the greeting shows addresses that work',
  { timeout: 120_000 },
  async () => {
    using folder = temporaryFolder()
    const env = await settings(folder.path)
    const { GATEWAY_PORT: gatewayPort = '', CONTROL_PORT: controlPort = '' } = env
    const changed = { HOST: 'no-address', GATEWAY_HOST: '0.0.0.0', CONTROL_HOST: '0.0.0.0', DRAIN_SECONDS: '3' }
    await using factory = launch({ ...env, ...changed, ADMIN_EMAIL: 'ops@example.com' })
    const { apiUrl, controlUrl, pids } = await factory.ready
    expect(apiUrl).toBe(`http://127.0.0.1:${gatewayPort}/v1`)
    expect(controlUrl).toBe(`http://127.0.0.1:${controlPort}`)
    expect(factory.output).toContain(`  API         ${apiUrl}\n  Console     ${controlUrl}\n`)
    const password = readFileSync(join(folder.path, 'admin-password'), 'utf8').trim()
    expect(factory.output).toContain(`  Sign in     ops@example.com / ${password}\n`)
    const signedIn = await fetch(`${controlUrl}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'ops@example.com', password }),
    })
    expect(signedIn.status).toBe(200)
    // On Linux every address of 127/8 is this machine's, but only a listener on all of them answers on one that nobody named.
    const other = process.platform === 'linux' ? '127.0.0.2' : '127.0.0.1'
    for (const port of [gatewayPort, controlPort]) {
      const reply = await fetch(`http://${other}:${port}/healthz`)
      await reply.body?.cancel()
      expect(reply.status).toBe(200)
    }
    // A Ctrl-C reaches the gateway too, which must wait for the supervisor's word.
    process.kill(pids['gateway'] ?? 0, 'SIGINT')
    for (let call = 0; call < 100; call++) {
      const reply = await fetch(`http://127.0.0.1:${gatewayPort}/healthz`, { headers: { connection: 'close' } })
      await reply.body?.cancel()
      expect(reply.status).toBe(200)
    }
    factory.child.kill('SIGTERM')
    expect(await factory.ended).toEqual([0, null])
    expect(factory.output).not.toMatch(/died|killed/)
  },
)

test(
  'a key that was revoked is not shown again, and a file without keys makes none',
  { timeout: 120_000 },
  async () => {
    using folder = temporaryFolder()
    const env = { ...(await settings(folder.path)), GATEWAY_URL: 'https://api.example.com/' }
    const operator = () => ({
      authorization: `Bearer ${readFileSync(join(folder.path, 'admin-token'), 'utf8').trim()}`,
    })
    const none =
      /^ {2}Demo key {4}none: make one in the console or with `npx tokenfactory key create --tenant … --name …`$/m
    {
      await using factory = launch(env)
      const { controlUrl } = await factory.ready
      expect(factory.output).toContain('  API         https://api.example.com/v1\n')
      const info = await fetch(`${controlUrl}/api/v1/info`, { headers: operator() })
      expect(await info.json()).toMatchObject({ gatewayUrl: 'https://api.example.com' })
      const revoked = await fetch(`${controlUrl}/api/v1/keys/demo/revoke`, { method: 'POST', headers: operator() })
      expect(revoked.status).toBe(200)
    }
    {
      await using factory = launch(env)
      await factory.ready
      expect(factory.output).toMatch(none)
      expect(existsSync(join(folder.path, 'demo-key'))).toBe(false)
    }
    using other = temporaryFolder()
    const keyless = join(other.path, 'keyless.yaml')
    writeFileSync(keyless, 'tenants: [{ id: paying, topups: [{ reference: r, amountYuan: 5 }] }]\n')
    for (const start of ['first', 'second']) {
      await using factory = launch({ ...env, DATA_DIR: join(other.path, 'data'), FACTORY_FILE: keyless })
      const { controlUrl } = await factory.ready
      expect(factory.output, start).toMatch(none)
      const authorization = `Bearer ${readFileSync(join(other.path, 'data', 'admin-token'), 'utf8').trim()}`
      const keys = await fetch(`${controlUrl}/api/v1/keys`, { headers: { authorization } })
      expect(await keys.json(), start).toEqual([])
    }
  },
)

test.each([
  [
    'a port that is none',
    { GATEWAY_PORT: '99999' },
    'wrong settings: GATEWAY_PORT="99999" must be a port number from 1 to 65535',
  ],
  [
    'one port for both',
    { GATEWAY_PORT: '18123', CONTROL_PORT: '18123' },
    'GATEWAY_PORT and CONTROL_PORT are both 18123: they must differ',
  ],
  [
    'a data directory that cannot be',
    { DATA_DIR: '/dev/null/data' },
    'DATA_DIR=/dev/null/data cannot be written: a part of the path is not a directory',
  ],
  [
    'a database that is none',
    { DATABASE_URL: 'mysql://localhost' },
    'wrong settings: DATABASE_URL must be a postgres:// URL',
  ],
  ['a drain without end', { DRAIN_SECONDS: '9999999' }, 'wrong settings: DRAIN_SECONDS="9999999" must be at most 3600'],
  [
    'a declaration that is not there',
    { FACTORY_FILE: '/dev/null/factory.yaml' },
    'FACTORY_FILE=/dev/null/factory.yaml cannot be read: a part of the path is not a directory',
  ],
])('%s is refused in one line', async (_, wrong, line) => {
  using folder = temporaryFolder()
  await using factory = launch({ ...(await settings(folder.path)), ...wrong })
  expect(await factory.ended).toEqual([1, null])
  expect(factory.output).toBe(`[tokenfactory] ${line}\n`)
})

test('a port in use is refused in one line with its number and variable', async () => {
  using folder = temporaryFolder()
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  using _ = { [Symbol.dispose]: () => void server.close() }
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  await using factory = launch({ ...(await settings(folder.path)), CONTROL_PORT: String(port) })
  expect(await factory.ended).toEqual([1, null])
  expect(factory.output).toBe(
    `[tokenfactory] port ${port} on 127.0.0.1 is in use by another program: free it, or set CONTROL_PORT to another port\n`,
  )
})

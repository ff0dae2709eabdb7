import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLog } from '#platform/log'
import { startEmbeddedPostgres } from '#platform/postgres'

/** The control plane as a program on a PostgreSQL of its own. */
export interface Plane extends AsyncDisposable {
  readonly url: string
  readonly token: string
  readonly dataDir: string
  /** Calls it as the operator; throws on any status but 2xx. */
  call(method: 'GET' | 'POST', path: string, body?: unknown, token?: string): Promise<unknown>
  readonly internalToken: string
}

export async function startPlane(): Promise<Plane> {
  await using undo = new AsyncDisposableStack()
  const dataDir = await mkdtemp(join(tmpdir(), 'tokenfactory-ctk-'))
  undo.defer(() => rm(dataDir, { recursive: true, force: true }))
  const log = createLog({ name: 'ctk', level: 'error' })
  const server = await startEmbeddedPostgres({ dataDir: join(dataDir, 'postgres'), log, durable: false })
  undo.defer(() => server.stop())
  const port = await freePort()
  const child = fork(fileURLToPath(new URL('../../src/apps/control.ts', import.meta.url)), {
    env: { ...process.env, DATABASE_URL: server.url, CONTROL_PORT: `${port}`, DATA_DIR: dataDir, LOG_LEVEL: 'error' },
  })
  undo.defer(async () => {
    if (child.exitCode !== null) return
    child.kill('SIGTERM')
    await once(child, 'exit')
  })
  await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => {
      throw new Error('the control plane ended before it was ready')
    }),
  ])
  const [token, internalToken] = await Promise.all(
    ['admin-token', 'internal-token'].map(async (name) => (await readFile(join(dataDir, name), 'utf8')).trim()),
  )
  if (!token || !internalToken) throw new Error('no tokens')
  const url = `http://127.0.0.1:${port}`
  const rest = undo.move()
  return {
    url,
    token,
    internalToken,
    dataDir,
    async call(method, path, body, bearer = token) {
      const reply = await fetch(`${url}${path}`, {
        method,
        headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const answer = await reply.text()
      if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${answer}`)
      return answer ? (JSON.parse(answer) as unknown) : undefined
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}

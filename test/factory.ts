import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The real factory, all of it, as `npm start` runs it, on free ports and a data directory of its own. */
export interface Factory extends AsyncDisposable {
  /** Base URL for clients, ending in `/v1`. */
  readonly apiUrl: string
  readonly controlUrl: string
  readonly dataDir: string
  readonly adminToken: string
  /** Secret of the file's `demo` key, if it declares one. */
  readonly demoKey: string
  readonly pid: number
  /** Calls the console API as the operator and returns the parsed reply; throws on any other status than 2xx. */
  control<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T>
  /** Resolves when every worker of the gateway answers a key with this status: a change of keys reaches each a moment later. */
  untilKeyAnswers(secret: string, status: number): Promise<void>
  /** Stops as Ctrl-C does and resolves with the exit code. */
  stop(): Promise<number | null>
  /** `kill -9` of the whole process group. PostgreSQL has a group of its own and follows by itself. */
  kill(): Promise<void>
  /** Starts again on the same data and ports, after `stop` or `kill`. */
  restart(): Promise<void>
}

export interface FactoryOptions {
  /** `factory.yaml` text. */
  readonly document: string
  readonly env?: Readonly<Record<string, string>>
}

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const READY_TIMEOUT_MS = 90_000

/** Starts it and waits until it serves. `await using` stops it and removes its data. */
export async function startFactory({ document, env = {} }: FactoryOptions): Promise<Factory> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tokenfactory-'))
  const factoryFile = join(dataDir, 'factory.yaml')
  writeFileSync(factoryFile, document)
  const [gatewayPort = 0, controlPort = 0] = await freePorts(2)
  const settings = {
    ...process.env,
    FACTORY_FILE: factoryFile,
    DATA_DIR: dataDir,
    GATEWAY_PORT: String(gatewayPort),
    CONTROL_PORT: String(controlPort),
    ...env,
  }
  const read = (name: string) => readFileSync(join(dataDir, name), 'utf8').trim()
  const controlUrl = `http://127.0.0.1:${controlPort}`
  let running = await launch(settings).catch(async (error: unknown) => {
    // A killed start leaves a PostgreSQL that is still ending, and writes while it does.
    await rm(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
    throw error
  })

  const stop = async (): Promise<number | null> => {
    if (running.exitCode !== null || running.signalCode !== null) return running.exitCode
    const exited = once(running, 'exit')
    running.kill('SIGTERM')
    await exited
    return running.exitCode
  }
  return {
    apiUrl: `http://127.0.0.1:${gatewayPort}/v1`,
    controlUrl,
    dataDir,
    get adminToken() {
      return read('admin-token')
    },
    get demoKey() {
      return read('demo-key')
    },
    get pid() {
      return running.pid ?? 0
    },
    async control<T>(method: 'GET' | 'POST', path: string, body?: unknown) {
      const response = await fetch(`${controlUrl}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${read('admin-token')}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 500)}`)
      return JSON.parse(text) as T
    },
    async untilKeyAnswers(secret, status) {
      const url = `http://127.0.0.1:${gatewayPort}/v1/models`
      while (
        !(await Promise.all(Array.from({ length: 16 }, () => statusOnFreshConnection(url, secret)))).every(
          (each) => each === status,
        )
      ) {
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
    stop,
    async kill() {
      const exited = once(running, 'exit')
      process.kill(-(running.pid ?? 0), 'SIGKILL')
      await exited
    },
    async restart() {
      running = await launch(settings)
    },
    async [Symbol.asyncDispose]() {
      await stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

async function launch(env: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, [join(ROOT, 'src/apps/all-in-one.ts')], {
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let output = ''
  const keep = (piece: Buffer) => {
    output = (output + piece.toString()).slice(-8_000)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      if (child.pid) process.kill(-child.pid, 'SIGKILL')
      reject(new Error(`the factory was not ready after ${READY_TIMEOUT_MS} ms:\n${output}`))
    }, READY_TIMEOUT_MS)
    child.once('exit', (code) => {
      clearTimeout(timer)
      reject(new Error(`the factory exited with ${String(code)}:\n${output}`))
    })
    child.on('message', (message) => {
      if (typeof message !== 'object' || message === null || !('ready' in message)) return
      clearTimeout(timer)
      child.removeAllListeners('exit')
      resolve()
    })
  })
  return child
}

/** Connections are spread over the workers, so a new one each time reaches them all. */
async function statusOnFreshConnection(url: string, secret: string): Promise<number | undefined> {
  const call = request(url, { agent: false, headers: { authorization: `Bearer ${secret}` } }).end()
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  response.resume()
  await once(response, 'end')
  return response.statusCode
}

/** Ports that nobody had a moment ago, all different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map((server) => {
    const address = server.address()
    return typeof address === 'object' && address ? address.port : 0
  })
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

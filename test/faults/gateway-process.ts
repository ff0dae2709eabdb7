import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The gateway as a process of its own, with one worker so that a test knows whose breakers and budgets it meets. */
export interface GatewayProcess extends AsyncDisposable {
  /** Up to and including `/v1`. */
  readonly url: string
  readonly pid: number
  /** Of all its series together. */
  gauge(name: string): Promise<number>
  /** `kill -9`, and a new process on what it left. */
  killAndRestart(): Promise<void>
}

export async function startGateway(controlUrl: string): Promise<GatewayProcess> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tokenfactory-faults-'))
  writeFileSync(join(dataDir, 'internal-token'), 'token-of-a-test\n')
  let child = launch(controlUrl, dataDir)
  let origin = `http://127.0.0.1:${await readyPort(child)}`
  return {
    get url() {
      return `${origin}/v1`
    },
    get pid() {
      return child.pid ?? 0
    },
    async gauge(name) {
      const text = await (await fetch(`${origin}/metrics`)).text()
      const values = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].map(([, value]) =>
        Number(value),
      )
      return values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0)
    },
    async killAndRestart() {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
      child = launch(controlUrl, dataDir)
      origin = `http://127.0.0.1:${await readyPort(child)}`
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null) {
        const gone = once(child, 'exit')
        child.disconnect()
        await gone
      }
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

function launch(controlUrl: string, dataDir: string): ChildProcess {
  return fork(fileURLToPath(new URL('../../src/apps/gateway.ts', import.meta.url)), {
    env: {
      ...process.env,
      GATEWAY_PORT: '0',
      GATEWAY_WORKERS: '1',
      CONTROL_URL: controlUrl,
      DATA_DIR: dataDir,
      LOG_LEVEL: 'error',
    },
    stdio: 'inherit',
  })
}

async function readyPort(child: ChildProcess): Promise<number> {
  const ready = Promise.withResolvers<number>()
  child.once('error', ready.reject)
  child.once('exit', (code) => ready.reject(new Error(`the gateway exited with ${String(code)}`)))
  child.on('message', (message: { ready?: boolean; port?: number }) => {
    if (message.ready && message.port !== undefined) ready.resolve(message.port)
  })
  return ready.promise
}

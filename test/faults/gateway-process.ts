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
  gauge(name: string): Promise<number>
}

export async function startGateway(controlUrl: string): Promise<GatewayProcess> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tokenfactory-faults-'))
  writeFileSync(join(dataDir, 'internal-token'), 'token-of-a-test\n')
  const child = fork(fileURLToPath(new URL('../../src/apps/gateway.ts', import.meta.url)), {
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
  const port = await readyPort(child)
  const origin = `http://127.0.0.1:${port}`
  return {
    url: `${origin}/v1`,
    pid: child.pid ?? 0,
    async gauge(name) {
      const text = await (await fetch(`${origin}/metrics`)).text()
      return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
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

async function readyPort(child: ChildProcess): Promise<number> {
  const ready = Promise.withResolvers<number>()
  child.once('error', ready.reject)
  child.once('exit', (code) => ready.reject(new Error(`the gateway exited with ${String(code)}`)))
  child.on('message', (message: { ready?: boolean; port?: number }) => {
    if (message.ready && message.port !== undefined) ready.resolve(message.port)
  })
  return ready.promise
}

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BENCH_KEY, CHAT_PATH, freePort, type Contestant } from './contestant.ts'
import { processTree } from './measure.ts'
import { GATEWAY_CORES, launch, listening, pinned, stop } from './processes.ts'

const VERSION = '1.15.2'

/** The Portkey gateway from npm, installed on first use into `cache`; undefined when it cannot be installed. */
export async function startPortkey(mockPort: number, cache: string): Promise<Contestant | undefined> {
  const entry = join(cache, 'node_modules/@portkey-ai/gateway/build/start-server.js')
  if (!existsSync(entry) && !install(cache)) return undefined
  const port = await freePort()
  const loopback = fileURLToPath(new URL('loopback.mjs', import.meta.url))
  const child = launch(
    pinned(GATEWAY_CORES, [process.execPath, '--import', loopback, entry, '--headless', `--port=${port}`]),
    {
      cwd: cache,
      quiet: true,
      env: { ...process.env, NODE_ENV: 'production' },
    },
  )
  await listening(port, 'Portkey')
  return {
    name: `Portkey ${VERSION}`,
    slow: true,
    target: {
      port,
      path: CHAT_PATH,
      headers: {
        Authorization: `Bearer ${BENCH_KEY}`,
        'x-portkey-provider': 'openai',
        'x-portkey-custom-host': `http://127.0.0.1:${mockPort}/v1`,
      },
    },
    gatewayPids: () => processTree(child.pid ?? 0),
    behindPids: () => [],
    backlog: () => Promise.resolve(0),
    stop: () => stop(child),
  }
}

/**
 * The release names its dependencies by range, and with `@hono/node-server` 1.14 and later it answers every stream with 500 (it
 * writes to immutable headers): the benchmark installs it with the last version that it works with.
 */
const PACKAGES = {
  private: true,
  dependencies: { '@portkey-ai/gateway': VERSION },
  overrides: { '@hono/node-server': '1.13.8' },
}

function install(cache: string): boolean {
  mkdirSync(cache, { recursive: true })
  try {
    writeFileSync(join(cache, 'package.json'), JSON.stringify(PACKAGES))
    execFileSync('npm', ['install', '--prefix', cache, '--ignore-scripts', '--no-audit', '--no-fund'], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    return true
  } catch {
    return false
  }
}

import { existsSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import { ConfigError, HttpUrl, Port, readConfig } from '#platform/config'
import { createLog } from '#platform/log'
import { migrate, openDatabase, sql, startEmbeddedPostgres } from '#platform/postgres'
import { startChild } from './all-in-one-child.ts'
import type { Child } from './all-in-one-child.ts'
import { declareIfEmpty, tryDemoKey } from './all-in-one-first-start.ts'
import { greeting } from './all-in-one-greeting.ts'
import { lockDataDir } from './all-in-one-lock.ts'
import { checkPort, ensureSecret, freePort, prepareDataDir, readFactoryFile } from './all-in-one-preflight.ts'
import { StartError } from './all-in-one-start-error.ts'
import { ControlConfig } from './control-config.ts'
import { DrainSeconds } from './gateway-settings.ts'

/** The whole factory on one machine: a supervisor of PostgreSQL, engine, control plane and gateway. */
const root = fileURLToPath(new URL('../..', import.meta.url))
const Settings = z.object({
  GATEWAY_PORT: Port.default(8080),
  CONTROL_PORT: Port.default(8081),
  /** Where to listen; loopback unless the operator decides otherwise. */
  GATEWAY_HOST: z.string().default('127.0.0.1'),
  CONTROL_HOST: z.string().default('127.0.0.1'),
  /** The gateway as users reach it, where that is not what it listens on: behind a proxy, or from another machine. */
  GATEWAY_URL: HttpUrl.transform((url) => url.replace(/\/+$/, '')).optional(),
  ADMIN_EMAIL: ControlConfig.shape.ADMIN_EMAIL,
  DATA_DIR: z.string().default('./data'),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' }).optional(),
  FACTORY_FILE: z.string().default(join(root, 'examples', 'factory.yaml')),
  MODEL_FILE: z.string().optional(),
  DRAIN_SECONDS: DrainSeconds,
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  LOG_TO: z.enum(['file', 'stderr']).default('file'),
})

const OLDEST_POSTGRES = 150_000
const READY_TIMEOUT_MS = 60_000
/** What a child may take beyond its drain, to hand over what it has. */
const STOP_GRACE_MS = 10_000
/** How long the ports of an instance that was killed may still be taken. */
const AFTER_CRASH_PATIENCE_MS = 8_000
/** One Ctrl-C reaches us from the terminal, from npm and from the launcher: signals this close are one. */
const SAME_PRESS_MS = 700

const say = (line: string): void => {
  process.stderr.write(`[tokenfactory] ${line}\n`)
}

/** What was started, in order; it is stopped from the end. */
const stops: (() => Promise<void>)[] = []
const children: Child[] = []
const launching = new Set<Child>()
let starting: Promise<void> | undefined
let stopping: Promise<void> | undefined

/** Ends a start in progress, then what was started, the last first. */
function stopAll(): Promise<void> {
  stopping ??= (async () => {
    for (const child of launching) await child.stop(STOP_GRACE_MS)
    await starting?.catch(() => undefined)
    for (const stop of stops.toReversed()) {
      await stop().catch((error: unknown) =>
        say(`while stopping: ${error instanceof Error ? error.message : String(error)}`),
      )
    }
  })()
  return stopping
}

/** Checks that it may go on: a signal during the start means that nothing further is begun. */
function assertWanted(): void {
  if (stopping) throw new StartError('stopped while starting')
}

async function start(): Promise<void> {
  const started = performance.now()
  const settings = readConfig(Settings, process.env)
  const { GATEWAY_PORT: gatewayPort, CONTROL_PORT: controlPort } = settings
  if (gatewayPort === controlPort)
    throw new StartError(`GATEWAY_PORT and CONTROL_PORT are both ${gatewayPort}: they must differ`)
  const dataDir = resolve(settings.DATA_DIR)
  prepareDataDir(dataDir)
  const lock = lockDataDir(dataDir)
  stops.push(() => Promise.resolve(lock.release()))
  const patienceMs = lock.afterCrash ? AFTER_CRASH_PATIENCE_MS : 0
  await checkPort('GATEWAY_PORT', gatewayPort, settings.GATEWAY_HOST, patienceMs)
  await checkPort('CONTROL_PORT', controlPort, settings.CONTROL_HOST, patienceMs)

  const file = (name: string): string => join(dataDir, name)
  // Before minutes are spent on a database that would stay empty; where there is one, it may not be needed.
  const isSurelyEmpty = settings.DATABASE_URL === undefined && !existsSync(file('postgres'))
  if (isSurelyEmpty) readFactoryFile(settings.FACTORY_FILE)
  ensureSecret(file('internal-token'), 'hex')
  const adminToken = ensureSecret(file('admin-token'), 'hex')
  const password = ensureSecret(file('admin-password'), 'readable')
  const logs = settings.LOG_TO === 'file' ? file('logs') : undefined
  if (logs) mkdirSync(logs, { recursive: true, mode: 0o700 })

  const databaseUrl = settings.DATABASE_URL ?? (await startDatabase(file('postgres'), settings.LOG_LEVEL))
  assertWanted()
  await migrateDatabase(databaseUrl)

  const controlUrl = `http://${reachable(settings.CONTROL_HOST)}:${controlPort}`
  const localGatewayUrl = `http://${reachable(settings.GATEWAY_HOST)}:${gatewayPort}`
  const gatewayUrl = settings.GATEWAY_URL ?? localGatewayUrl
  const enginePort = await freePort()
  const launch = async (name: string, env: Readonly<Record<string, string>>): Promise<void> => {
    assertWanted()
    const child = startChild({
      name,
      file: join(root, 'src', 'apps', `${name}.ts`),
      env: { ...process.env, DATA_DIR: dataDir, LOG_LEVEL: settings.LOG_LEVEL, ...env },
      ...(logs ? { logFile: join(logs, `${name}.log`) } : {}),
      readyTimeoutMs: READY_TIMEOUT_MS,
      say,
    })
    children.push(child)
    launching.add(child)
    stops.push(() => child.stop(name === 'gateway' ? settings.DRAIN_SECONDS * 1000 + STOP_GRACE_MS : STOP_GRACE_MS))
    await child.ready.finally(() => launching.delete(child))
  }
  const engine = launch('engine', { ENGINE_PORT: String(enginePort) })
  const control = launch('control', {
    DATABASE_URL: databaseUrl,
    CONTROL_PORT: String(controlPort),
    CONTROL_HOST: settings.CONTROL_HOST,
    ENGINE_URL: `http://127.0.0.1:${enginePort}/v1`,
    GATEWAY_URL: gatewayUrl,
    ADMIN_EMAIL: settings.ADMIN_EMAIL,
  })
  await Promise.all([engine, control])
  const declared = await declareIfEmpty({
    controlUrl,
    adminToken,
    dataDir,
    factoryFile: settings.FACTORY_FILE,
  })
  if (declared.applied) say(`declared ${settings.FACTORY_FILE}`)
  await launch('gateway', {
    GATEWAY_PORT: String(gatewayPort),
    CONTROL_URL: controlUrl,
    GATEWAY_HOST: settings.GATEWAY_HOST,
    DRAIN_SECONDS: String(settings.DRAIN_SECONDS),
  })
  const { demoKey, model } = await tryDemoKey({
    apiUrl: `${localGatewayUrl}/v1`,
    dataDir,
    demoKey: declared.demoKey,
    patienceMs: 15_000,
    isOver: () => stopping !== undefined,
  })
  process.stdout.write(
    `${greeting({
      apiUrl: `${gatewayUrl}/v1`,
      consoleUrl: controlUrl,
      adminEmail: settings.ADMIN_EMAIL,
      passwordFile: file('admin-password'),
      password: declared.applied ? password : undefined,
      demoKey,
      model,
      isShippedModel: settings.MODEL_FILE === undefined,
      logs,
      seconds: (performance.now() - started) / 1000,
    })}\n`,
  )
  process.send?.({
    ready: true,
    apiUrl: `${gatewayUrl}/v1`,
    controlUrl,
    pids: Object.fromEntries(children.map(({ name, pid }) => [name, pid])),
  })
}

/** An address to visit for one to listen on. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

async function startDatabase(dataDir: string, level: 'debug' | 'info' | 'warn' | 'error' | 'silent'): Promise<string> {
  // The terminal is for what a person must know.
  const log = createLog({ name: 'postgres', level: level === 'debug' ? 'debug' : 'error' })
  const server = await startEmbeddedPostgres({ dataDir, log }).catch((cause: unknown) => {
    throw new StartError(cause instanceof Error ? cause.message : String(cause), { cause })
  })
  stops.push(() => server.stop())
  return server.url
}

async function migrateDatabase(url: string): Promise<void> {
  await using database = openDatabase(url, { max: 1, applicationName: 'tokenfactory-migrate' })
  try {
    const [server] = await database.rows<{ number: number }>(
      sql`select current_setting('server_version_num')::int as number`,
    )
    if (!server || server.number < OLDEST_POSTGRES) throw new Error('it is older than PostgreSQL 15')
    const { version, applied } = await migrate(database, join(root, 'migrations'))
    if (applied.length > 0) say(`database is at ${version}`)
  } catch (cause) {
    const { message } = cause as Error
    throw new StartError(`the database cannot be prepared: ${message || 'no connection (is DATABASE_URL right?)'}`, {
      cause,
    })
  }
}

let pressedAt = Number.NEGATIVE_INFINITY
function onSignal(signal: string): void {
  const now = performance.now()
  if (now - pressedAt < SAME_PRESS_MS) return
  pressedAt = now
  if (stopping) {
    say('stopping at once')
    for (const child of children) child.kill()
    return
  }
  say(`${signal}: draining and stopping`)
  void stopAll().then(() => {
    say('stopped')
    process.exit(0)
  })
}
process.on('SIGINT', () => onSignal('Ctrl-C'))
process.on('SIGTERM', () => onSignal('SIGTERM'))
process.on('SIGHUP', () => onSignal('the terminal is gone'))
// The launcher was killed: there is nobody left who could press Ctrl-C.
process.on('disconnect', () => onSignal('the launcher is gone'))

try {
  starting = start()
  await starting
} catch (error) {
  if (!stopping) {
    const isForeseen = error instanceof StartError || error instanceof ConfigError
    say(error instanceof Error ? (isForeseen ? error.message : (error.stack ?? error.message)) : String(error))
    await stopAll()
    process.exit(1)
  }
}

import { once } from 'node:events'
import type { Server } from 'node:http'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createAdaptorServer } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { systemClock } from '#platform/clock'
import { ConfigError, readConfig } from '#platform/config'
import { createLog } from '#platform/log'
import { migrate, openDatabase, schemaVersion, sql } from '#platform/postgres'
import { createControlApp } from './control-app.ts'
import { ControlConfig } from './control-config.ts'
import { jobsOf, startJobs } from './control-jobs.ts'
import { createControlMetrics } from './control-metrics.ts'
import { openRooms } from './control-rooms.ts'
import { installationSecrets } from './control-secrets.ts'

/** The control plane as a program: console, API, and what gateways ask for. */
const fromRoot = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const DRAIN_MS = 5_000

async function main(): Promise<void> {
  const config = readConfig(ControlConfig, process.env)
  const log = createLog({ name: 'control', level: config.LOG_LEVEL })
  const clock = systemClock
  const stopping = new AbortController()
  // From the first moment on: a supervisor may be gone before we are ready.
  const stopped = untilStopped()
  await using undo = new AsyncDisposableStack()

  const database = undo.use(
    openDatabase(config.DATABASE_URL, {
      applicationName: 'control',
      onIdleError: (error) => log.warn({ err: error }, 'a database connection broke'),
    }),
  )
  const { version: schema, applied } = await migrate(database, fromRoot('migrations'))
  if (applied.length > 0) log.info({ applied }, 'database migrated')

  const secrets = installationSecrets(config.DATA_DIR)
  const rooms = openRooms({ database, clock, log, signingKey: secrets.signingKey })
  const { identity, charging, catalogue, ordering, billing, quality, agreements } = rooms
  await identity.ensureOperator({ email: config.ADMIN_EMAIL, password: secrets.adminPassword })
  await catalogue.engineMovedTo(config.ENGINE_URL ?? null)

  const { version } = JSON.parse(readFileSync(fromRoot('package.json'), 'utf8')) as { version: string }
  const metrics = createControlMetrics()
  const app = createControlApp({
    ...rooms,
    supplierKeyOf: (name) => process.env[name],
    clock,
    log,
    info: { version, schemaVersion: schema, gatewayUrl: config.GATEWAY_URL },
    adminToken: secrets.adminToken,
    internalToken: secrets.internalToken,
    allowedHosts: config.CONTROL_ALLOWED_HOSTS,
    callerAddress: (context) => getConnInfo(context).remote.address ?? 'unknown',
    stopping: stopping.signal,
    staticFolder: fromRoot('web/dist'),
    async checkReady() {
      await database.rows(sql`select 1`)
      const found = await schemaVersion(database)
      if (found !== schema) throw new Error(`the database is at ${found ?? 'nothing'}, this program at ${schema}`)
    },
    renderMetrics: metrics.render,
    countRequest: metrics.countRequest,
  })

  const server = createAdaptorServer({
    fetch: app.fetch,
    serverOptions: { requestTimeout: 60_000, headersTimeout: 10_000, keepAliveTimeout: 30_000, maxHeaderSize: 16_384 },
  }) as Server
  undo.defer(() => closeServer(server))
  const { CONTROL_HOST: host } = config
  server.listen(config.CONTROL_PORT, host)
  await once(server, 'listening')

  undo.use(startJobs({ jobs: jobsOf(charging, ordering, billing, quality, agreements), clock, log }))
  log.info({ host, port: config.CONTROL_PORT, version, schema }, 'control plane ready')
  if (process.connected) process.send?.({ ready: true, port: config.CONTROL_PORT })
  log.info({ because: await stopped }, 'control plane stops')
  stopping.abort()
}

/** SIGTERM, Ctrl-C when nobody supervises us, or the end of our supervisor, without whom nobody would ever stop us. */
function untilStopped(): Promise<string> {
  return new Promise((stop) => {
    process.on('SIGTERM', () => stop('SIGTERM'))
    process.on('disconnect', () => stop('the supervisor is gone'))
    // A terminal sends SIGINT to everybody at once, but gateways still have records to hand over: the supervisor decides.
    process.on('SIGINT', () => {
      if (!process.connected) stop('SIGINT')
    })
  })
}

/** Lets running requests end, then cuts what is left. */
async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return
  const closed = once(server, 'close')
  server.close()
  server.closeIdleConnections()
  const cut = setTimeout(() => server.closeAllConnections(), DRAIN_MS)
  await closed
  clearTimeout(cut)
}

try {
  await main()
  process.exit(0)
} catch (error) {
  const known = error instanceof ConfigError || (error as NodeJS.ErrnoException).code !== undefined
  process.stderr.write(`control: ${known ? (error as Error).message : String((error as Error).stack)}\n`)
  process.exit(1)
}

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { createLimitTable, createWaitTable, openLimits, openWaits } from '#admission'
import { ConfigError } from '#platform/config'
import { sha256 } from '#platform/crypto'
import { createLog } from '#platform/log'
import { mergeMetrics, renderMetrics } from '#platform/metrics'
import type { MetricSnapshot } from '#platform/metrics'
import { createSchedulerTable, openSchedulerTable } from '#scheduler'
import type { FromWorker, ToWorker, WorkerStart } from './gateway-messages.ts'
import { createPlaces } from './gateway-places.ts'
import { readGatewaySettings } from './gateway-settings.ts'
import { createSlots } from './gateway-slots.ts'
import type { SlottedSnapshot } from './gateway-slots.ts'
import { followSnapshots } from './gateway-snapshots.ts'

/**
 * The gateway process. This thread follows the snapshot, owns the shared limit table and supervises the workers; the workers
 * serve. It never touches a request.
 */
const LIMIT_SLOTS = 131_072
/** Suppliers and their models that the scheduler can tell apart (144 bytes each and 8 per worker). */
const SCHEDULER_PLACES = 8_192
const RESTART_MS = 500
/** Enough for what requests allocate to die young, little enough not to weigh on open streams (5,000 of them: 18 KiB each at 24, 27 at 64). */
const YOUNG_GENERATION_MB = 24
/** A gateway without its supervisor ends soon: the next start needs its port and its journals. */
const ORPHAN_GRACE_MS = 1_000
const METRICS_TIMEOUT_MS = 2_000
const MODEL_ROOT = fileURLToPath(new URL('../../models/', import.meta.url))

try {
  await runGateway()
} catch (error) {
  console.error(error instanceof ConfigError ? error.message : error)
  process.exit(1)
}

async function runGateway(): Promise<void> {
  const settings = readGatewaySettings(process.env, MODEL_ROOT)
  const log = createLog({ name: 'gateway', level: settings.logLevel })
  const table = createLimitTable(LIMIT_SLOTS, settings.workers)
  const waits = createWaitTable(LIMIT_SLOTS, settings.workers)
  const slots = createSlots(LIMIT_SLOTS, openLimits(table, 0))
  const scheduler = createSchedulerTable(SCHEDULER_PLACES, settings.workers)
  const places = createPlaces(SCHEDULER_PLACES)
  const workers = new Map<number, Worker>()
  const stopping = new AbortController()
  const asked = new Map<number, (snapshot: readonly MetricSnapshot[]) => void>()
  let current: SlottedSnapshot | undefined
  let gateways = 1
  let nextCall = 0
  let isUp = false
  let { port } = settings

  const tell = (worker: Worker, message: ToWorker) => worker.postMessage(message)
  const tellSnapshot = (worker: Worker) => {
    if (!current) return
    const { snapshot, slots: given } = current
    tell(worker, { type: 'snapshot', snapshot, slots: given, places: places.assign(snapshot), gateways })
  }
  const stop = async (graceMs: number) => {
    if (stopping.signal.aborted) return
    stopping.abort()
    await Promise.all(
      [...workers.values()].map((worker) => {
        const gone = new Promise((resolve) => worker.once('exit', resolve))
        tell(worker, { type: 'drain', graceMs })
        return gone
      }),
    )
    process.exit(0)
  }
  process.on('SIGTERM', () => void stop(settings.drainMs))
  // A terminal sends SIGINT to everybody at once: the supervisor decides who stops when.
  process.on('SIGINT', () => {
    if (!process.connected) void stop(settings.drainMs)
  })
  // Without its supervisor nobody would stop it: a gateway that outlives the factory would hold the port and the journal.
  process.on('disconnect', () => void stop(ORPHAN_GRACE_MS))
  const first = Promise.withResolvers<void>()
  void followSnapshots({
    controlUrl: settings.controlUrl,
    token: readFileSync(settings.internalTokenFile, 'utf8').trim(),
    log,
    signal: stopping.signal,
    // The same after a restart: a gateway that comes back is not one more.
    process: sha256(`${hostname()} ${settings.journalDir}`),
    peersChanged(count) {
      gateways = count
      log.info({ gateways }, 'gateways share what suppliers allow')
      for (const worker of workers.values()) tellSnapshot(worker)
    },
    changed(next) {
      current = slots.assign(next)
      const { leftOut } = current
      if (leftOut.length > 0)
        log.error({ count: leftOut.length, some: leftOut.slice(0, 10) }, 'the limit table is full: these are refused')
      for (const worker of workers.values()) tellSnapshot(worker)
      first.resolve()
    },
  })
  await first.promise

  const start = (index: number): Promise<void> => {
    openLimits(table, index).clear()
    openWaits(waits, index).clear()
    openSchedulerTable(scheduler, index).clearOwn()
    const gatewayId = `gw-${index}`
    const workerData: WorkerStart = {
      index,
      gatewayId,
      abandoned: index === 0 ? abandonedJournals(settings.journalDir, settings.workers) : [],
      port,
      table,
      waits,
      scheduler,
      settings,
    }
    const worker = new Worker(new URL('./gateway-worker.ts', import.meta.url), {
      workerData,
      name: gatewayId,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    })
    workers.set(index, worker)
    tellSnapshot(worker)
    const ready = Promise.withResolvers<void>()
    worker.on('message', (message: FromWorker) => {
      switch (message.type) {
        case 'ready':
          port = message.port
          ready.resolve()
          return
        case 'failed':
          ready.reject(new Error(message.message))
          return
        case 'metrics-ask':
          void collectMetrics().then((text) => tell(worker, { type: 'metrics-reply', call: message.call, text }))
          return
        case 'metrics-reply':
          asked.get(message.call)?.(message.snapshot)
      }
    })
    worker.on('error', (error) => log.error({ err: error, gatewayId }, 'worker died'))
    worker.on('exit', () => {
      workers.delete(index)
      if (stopping.signal.aborted) return
      ready.reject(new Error(`worker ${gatewayId} ended before it was ready`))
      // A worker that cannot start now (disk full, say) may later: only the very first start gives up.
      if (isUp)
        setTimeout(
          () => void start(index).catch((error: unknown) => log.error({ err: error }, 'worker did not restart')),
          RESTART_MS,
        )
    })
    return ready.promise
  }

  /** Every worker's numbers, summed; a worker that does not answer in time is left out rather than waited for. */
  const collectMetrics = async (): Promise<string> => {
    const parts = await Promise.all(
      [...workers.values()].map(
        (worker) =>
          new Promise<readonly MetricSnapshot[] | undefined>((resolve) => {
            const call = nextCall++
            const timer = setTimeout(() => resolve(undefined), METRICS_TIMEOUT_MS)
            asked.set(call, (part) => {
              clearTimeout(timer)
              asked.delete(call)
              resolve(part)
            })
            tell(worker, { type: 'metrics-ask', call })
          }),
      ),
    )
    return renderMetrics(mergeMetrics(parts.filter((part) => part !== undefined)))
  }

  // The first worker finds the port when any will do; the others share it.
  await start(0)
  await Promise.all(Array.from({ length: settings.workers - 1 }, (_, i) => start(i + 1)))
  isUp = true
  log.info({ port, workers: settings.workers }, 'gateway is ready')
  process.send?.({ ready: true, port })
}

/** Journals left by workers of an earlier start that had more of them. */
function abandonedJournals(dir: string, workers: number): string[] {
  if (!existsSync(dir)) return []
  return readdirSync(dir).filter((name) => /^gw-\d+$/.test(name) && Number(name.slice(3)) >= workers)
}

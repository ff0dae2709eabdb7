import { readFileSync } from 'node:fs'
import { join, parse } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import type { TokenizerSpec } from '#contract'
import { createAdmission, createFlowControl, openLimits, openWaits } from '#admission'
import {
  EMPTY_DIRECTORY,
  admitHead,
  answer,
  arrange,
  createBodyBudget,
  createFlightBoard,
  createHedgeBudget,
  createRetryBudget,
  cutShort,
  createGatewayMetrics,
  createSupplierLines,
  createTally,
  refuseOversize,
  renderCodecRefusal,
  reportOf,
  startSweep,
} from '#gateway'
import type { Directory, Gateway, Line } from '#gateway'
import { createChargingClient, createHolds } from '#holds'
import type { Holds } from '#holds'
import { createSampler, createTokenizer } from '#metering'
import type { Tokenizer } from '#metering'
import { systemClock } from '#platform/clock'
import { createRequestIds, randomPart } from '#platform/crypto'
import { createHttpServer } from '#platform/http'
import { openJournal } from '#platform/journal'
import type { Journal } from '#platform/journal'
import { createLog } from '#platform/log'
import { createScheduler, openSchedulerTable } from '#scheduler'
import type { FromWorker, ToWorker, WorkerStart } from './gateway-messages.ts'
import { startReports } from './gateway-reports.ts'

/** One thread that serves: its own event loop, journal, epoch and slices; limits and port shared with its siblings. */
const start = workerData as WorkerStart
const { settings, gatewayId } = start
const log = createLog({ name: 'gateway', level: settings.logLevel }).child({ gatewayId })
const port = parentPort
if (!port) throw new Error('gateway-worker runs as a worker thread')
/** What is not shipped by then is shipped by the next start. */
const SHIPPING_GRACE_MS = 5_000
/** Per worker, beside what small bodies take. */
const BODY_BUDGET_BYTES = 536_870_912
/** Clients are told before their connections are cut. */
const FAREWELL_MS = 300
const JOURNAL_WATCH_MS = 1_000
const FAILED_JOURNAL_GRACE_MS = 2_000
const tell = (message: FromWorker) => port.postMessage(message)

try {
  await runWorker()
} catch (error) {
  tell({ type: 'failed', message: error instanceof Error ? error.message : String(error) })
  // Open handles would keep a thread alive that serves nobody, and its place would never be taken again.
  process.exit(1)
}

async function runWorker(): Promise<void> {
  const firstSnapshot = Promise.withResolvers<void>()
  let directory: Directory = EMPTY_DIRECTORY
  let slots: ReadonlyMap<string, number> = new Map()
  let places: ReadonlyMap<string, number> = new Map()
  const slotOf = (name: string): number => {
    const slot = slots.get(name)
    if (slot === undefined) throw new Error(`no slot for ${name}`)
    return slot
  }
  const supplierLines = createSupplierLines({
    onError: (err) => log.error({ err }, 'a supplier connection met an error of ours'),
    secretOf: (name) => process.env[name] || undefined,
    slotOf,
  })
  const tokenizers = new Map<string, Tokenizer>()
  const openTokenizer = (spec: TokenizerSpec): Tokenizer => {
    if (spec.kind !== 'embedded') return createTokenizer(spec, { modelRoot: settings.modelRoot })
    const { dir, base } = parse(settings.embeddedModelFile)
    return createTokenizer({ kind: 'gguf', file: base }, { modelRoot: dir })
  }
  /** Its table takes some 0.2 s to load: now, and not in the middle of the first requests. What fails is told by the recounts. */
  const loadNow = (tokenizer: Tokenizer): void => {
    try {
      tokenizer.count('')
    } catch (err) {
      log.error({ err, tokenizer: tokenizer.method }, 'a tokenizer could not be loaded')
    }
  }
  const asked = new Map<number, (text: string) => void>()
  let nextCall = 0

  const metrics = createGatewayMetrics()
  const tally = createTally()
  const limits = openLimits(start.table, start.index)
  const charging = createChargingClient({
    origin: settings.controlUrl,
    token: readFileSync(settings.internalTokenFile, 'utf8').trim(),
  })
  const open = async (id: string): Promise<{ holds: Holds; journal: Journal }> => {
    const journal = await openJournal(join(settings.journalDir, id), {
      onDamage: (damage) => log.error({ damage }, 'journal was damaged'),
    })
    return { journal, holds: createHolds({ gateway: id, journal, charging, clock: systemClock, log }) }
  }
  const { holds, journal } = await open(gatewayId)
  for (const id of start.abandoned) {
    const left = await open(id)
    await left.holds.close(settings.drainMs)
    await left.journal[Symbol.asyncDispose]()
  }

  let isDraining = false
  const scheduler = createScheduler<Line>({
    random: randomPart(),
    region: settings.region,
    shared: openSchedulerTable(start.scheduler, start.index),
    slotOf: (key) => places.get(key) ?? start.scheduler.slots - 1,
  })
  const gateway: Gateway = {
    gatewayId,
    settings: {
      maxBodyBytes: settings.maxBodyBytes,
      maxAnswerBytes: settings.maxAnswerBytes,
      streamLingerMs: 2_000,
      answerLingerMs: 30_000,
      allowedOrigins: new Set(settings.allowedOrigins),
    },
    directory: () => directory,
    admission: createAdmission({ limits, nowNs: process.hrtime.bigint }),
    limits,
    flow: createFlowControl({ policies: settings.classes }),
    waits: openWaits(start.waits, start.index),
    bodyBudget: createBodyBudget(BODY_BUDGET_BYTES),
    holds,
    scheduler,
    retries: createRetryBudget(() => performance.now()),
    hedges: createHedgeBudget(),
    nowMs: () => systemClock.nowMs(),
    newRequestId: createRequestIds(systemClock),
    log,
    flights: createFlightBoard(),
    observe(record) {
      metrics.observe(record)
      tally.observe(record)
    },
    refused: metrics.refused,
    isSampled: createSampler({ perSecond: settings.recountsPerSecond, nowMs: () => performance.now() }),
    isReady: () => directory.version >= 0 && !isDraining && journal.failed === null && !holds.stats().fenced,
    metricsText: () =>
      new Promise((resolve) => {
        const call = nextCall++
        asked.set(call, resolve)
        tell({ type: 'metrics-ask', call })
      }),
  }

  const server = createHttpServer({
    maxHeadBytes: 32_768,
    headTimeoutMs: 10_000,
    bodyTimeoutMs: 30_000,
    keepAliveTimeoutMs: 65_000,
    maxConnections: settings.maxConnections,
    onHead: (exchange) => admitHead(exchange, gateway),
    onRequest: (exchange, body) => answer(exchange, body, gateway),
    onOversize: (exchange) => refuseOversize(exchange, gateway),
    renderRefusal: renderCodecRefusal,
    onError: (err) => log.error({ err }, 'a client connection met an error of ours'),
  })

  port?.on('message', (message: ToWorker) => {
    switch (message.type) {
      case 'snapshot':
        slots = message.slots
        places = message.places
        tally.adopt(message.snapshot)
        directory = arrange(message.snapshot, {
          slotOf,
          classes: settings.classes,
          supplierLine: supplierLines.line,
          tokenizer: (spec) => {
            const name = JSON.stringify(spec)
            const known = tokenizers.get(name)
            if (known) return known
            const opened = openTokenizer(spec)
            loadNow(opened)
            tokenizers.set(name, opened)
            return opened
          },
        })
        scheduler.adopt(directory.market, message.gateways)
        firstSnapshot.resolve()
        return
      case 'metrics-ask':
        metrics.measure(gateway, server.openConnections)
        tell({ type: 'metrics-reply', call: message.call, snapshot: metrics.snapshot() })
        return
      case 'metrics-reply':
        asked.get(message.call)?.(message.text)
        asked.delete(message.call)
        return
      case 'drain':
        void drain(message.graceMs)
    }
  })
  await firstSnapshot.promise
  const stopSweep = startSweep(gateway)
  const startedAtMs = systemClock.nowMs()
  const stopReports = startReports({
    controlUrl: settings.controlUrl,
    token: readFileSync(settings.internalTokenFile, 'utf8').trim(),
    log,
    report: () => reportOf(gateway, { tally, startedAtMs }),
  })
  // A journal that failed stays failed; the thread that takes this one's place opens it anew, if the disk lets it.
  const watch = setInterval(() => {
    if (journal.failed === null) return
    clearInterval(watch)
    log.error({ err: journal.failed }, 'the journal failed: this worker ends and another takes its place')
    void drain(FAILED_JOURNAL_GRACE_MS, 1)
  }, JOURNAL_WATCH_MS)
  watch.unref()
  tell({
    type: 'ready',
    port: await server.listen({ port: start.port, host: settings.host, reusePort: process.platform === 'linux' }),
  })

  /** No new requests, the running ones end, what they used is shipped and the slices go back; then the thread is gone. */
  async function drain(graceMs: number, exitCode = 0): Promise<void> {
    if (isDraining) return
    isDraining = true
    const farewell = setTimeout(
      () => {
        for (const flight of gateway.flights.snapshot()) cutShort(flight, gateway)
      },
      Math.max(0, graceMs - FAREWELL_MS),
    )
    await server.close(graceMs)
    clearTimeout(farewell)
    await holds.close(Math.min(graceMs, SHIPPING_GRACE_MS))
    stopSweep()
    stopReports()
    supplierLines.close()
    await journal[Symbol.asyncDispose]()
    process.exit(exitCode)
  }
}

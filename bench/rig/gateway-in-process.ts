import { join } from 'node:path'
import {
  CLASS_POLICIES,
  createAdmission,
  createFlowControl,
  createLimitTable,
  createWaitTable,
  openLimits,
  openWaits,
} from '#admission'
import type { Snapshot } from '#contract'
import {
  admitHead,
  answer,
  arrange,
  createBodyBudget,
  createFlightBoard,
  createHedgeBudget,
  createRetryBudget,
  createGatewayMetrics,
  createSupplierLines,
  refuseOversize,
  renderCodecRefusal,
  startSweep,
} from '#gateway'
import type { Gateway, Line } from '#gateway'
import { createHolds } from '#holds'
import type { ChargingClient } from '#holds'
import { createSampler, createTokenizer } from '#metering'
import { systemClock } from '#platform/clock'
import { createRequestIds, randomPart, sha256 } from '#platform/crypto'
import { createHttpClient, createHttpServer } from '#platform/http'
import { openJournal } from '#platform/journal'
import { nullLog } from '#platform/log'
import { createScheduler } from '#scheduler'
import { BENCH_MODEL } from './answers.ts'
import { BENCH_KEY } from './contestant.ts'

const FOREVER = { validFromMs: 0, validToMs: null }
const PRICES = {
  uncachedInput: '2000000',
  cacheWrite: '2000000',
  cacheRead: '1000000',
  output: '8000000',
  reasoning: '8000000',
}
const SHEET = { id: 'bench:1', currency: 'CNY' as const, ...FOREVER, taxPercent: 6, prices: PRICES }
const LIMITS = { requestsPerMinute: 10_000_000, tokensPerMinute: 100_000_000_000, maxConcurrency: 1_000_000 }

function snapshotFor(supplierPort: number): Snapshot {
  return {
    version: 1,
    tenants: [{ id: 'bench', displayName: 'bench', status: 'active', limits: LIMITS }],
    keys: [
      {
        id: 'bench',
        tenant: 'bench',
        name: 'bench',
        hash: sha256(BENCH_KEY),
        status: 'active',
        expiresAtMs: null,
        limits: LIMITS,
      },
    ],
    services: [
      {
        id: BENCH_MODEL,
        displayName: BENCH_MODEL,
        createdMs: 0,
        contextTokens: 131_072,
        maxOutputTokens: 4096,
        tokenizer: { kind: 'bytes', bytesPerToken: 4 },
        tenants: [],
        sellSheets: [SHEET],
        deployments: [{ supplier: 'mock', model: BENCH_MODEL, priority: 1, buySheets: [SHEET] }],
        firstByteTimeoutMs: 60_000,
        idleTimeoutMs: 60_000,
        totalTimeoutMs: 600_000,
      },
    ],
    suppliers: [
      {
        id: 'mock',
        displayName: 'mock',
        kind: 'openai-compatible',
        baseUrl: `http://127.0.0.1:${supplierPort}/v1`,
        apiKeyEnv: null,
        maxConcurrency: 100_000,
        maxTokensField: 'max_tokens',
      },
    ],
  }
}

/** Grants whatever is asked for and takes every record at once: what posting costs is measured by the whole benchmark. */
function endlessCharging(): ChargingClient {
  return {
    register: () => Promise.resolve(1),
    grant: ({ epoch, seq, bucket, want }) =>
      Promise.resolve({
        outcome: 'granted',
        slice: {
          id: `s-${epoch}-${seq}`,
          bucket,
          epoch,
          amount: want,
          validUntilMs: Date.now() + 60_000,
          tight: false,
        },
      }),
    close: () => Promise.resolve({ outcome: 'closed' }),
    openSlices: () => Promise.resolve([]),
    usage: (_, records) => Promise.resolve({ accepted: records.length, duplicates: 0, quarantined: [] }),
  }
}

export interface InProcessGateway extends AsyncDisposable {
  readonly port: number
  /** Holds, flights and records that are not at rest. */
  readonly unresolved: () => number
}

/** The gateway as a worker thread builds it, in this thread: only charging is a stand-in. */
export async function startGatewayInProcess(supplierPort: number, scratch: string): Promise<InProcessGateway> {
  const journal = await openJournal(join(scratch, 'journal'))
  const holds = createHolds({
    gateway: 'bench-0',
    journal,
    charging: endlessCharging(),
    clock: systemClock,
    log: nullLog,
  })
  const limits = openLimits(createLimitTable(64, 1), 0)
  const slots = new Map<string, number>()
  const slotOf = (name: string): number => {
    const slot = slots.get(name) ?? slots.size
    slots.set(name, slot)
    return slot
  }
  const suppliers = createSupplierLines({
    openClient: (origin, maxConnections) =>
      createHttpClient({
        origin,
        maxConnections,
        connectTimeoutMs: 5_000,
        maxHeadBytes: 65_536,
        idleTimeoutMs: 4_000,
        onError: fail,
      }),
    secretOf: () => undefined,
    slotOf,
  })
  const directory = arrange(snapshotFor(supplierPort), {
    slotOf,
    classes: CLASS_POLICIES,
    supplierLine: suppliers.line,
    tokenizer: () => createTokenizer({ kind: 'bytes', bytesPerToken: 4 }, { modelRoot: scratch }),
  })
  const metrics = createGatewayMetrics()
  const scheduler = createScheduler<Line>({ random: randomPart() })
  scheduler.adopt(directory.market)
  const gateway: Gateway = {
    gatewayId: 'bench-0',
    settings: {
      maxBodyBytes: 33_554_432,
      maxAnswerBytes: 33_554_432,
      streamLingerMs: 2_000,
      answerLingerMs: 30_000,
      allowedOrigins: new Set(),
    },
    directory: () => directory,
    admission: createAdmission({ limits, nowNs: process.hrtime.bigint }),
    limits,
    flow: createFlowControl(),
    waits: openWaits(createWaitTable(64, 1), 0),
    bodyBudget: createBodyBudget(536_870_912),
    holds,
    scheduler,
    retries: createRetryBudget(() => performance.now()),
    hedges: createHedgeBudget(),
    nowMs: () => systemClock.nowMs(),
    newRequestId: createRequestIds(systemClock),
    log: nullLog,
    flights: createFlightBoard(),
    observe: metrics.observe,
    refused: metrics.refused,
    isReady: () => journal.failed === null && !holds.stats().fenced,
    isSampled: createSampler({ perSecond: 0, nowMs: () => performance.now() }),
    metricsText: () => Promise.resolve(''),
  }
  const stopSweep = startSweep(gateway)
  const server = createHttpServer({
    maxHeadBytes: 32_768,
    headTimeoutMs: 10_000,
    bodyTimeoutMs: 30_000,
    keepAliveTimeoutMs: 65_000,
    maxConnections: 10_000,
    onHead: (exchange) => admitHead(exchange, gateway),
    onRequest: (exchange, body) => answer(exchange, body, gateway),
    onOversize: (exchange) => refuseOversize(exchange, gateway),
    renderRefusal: renderCodecRefusal,
    onError: fail,
  })
  return {
    port: await server.listen({ port: 0, host: '127.0.0.1', reusePort: false }),
    unresolved() {
      const { outstandingHolds, unshippedRecords } = holds.stats()
      return gateway.flights.size + outstandingHolds + unshippedRecords
    },
    async [Symbol.asyncDispose]() {
      await server.close(1_000)
      await holds.close(5_000)
      stopSweep()
      suppliers.close()
      await journal[Symbol.asyncDispose]()
    },
  }
}

function fail(error: unknown): never {
  throw error instanceof Error ? error : new Error(String(error))
}

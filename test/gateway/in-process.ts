import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CLASS_POLICIES,
  createAdmission,
  createFlowControl,
  createLimitTable,
  createWaitTable,
  openLimits,
  openWaits,
  type FlowControl,
  type FlowOptions,
} from '#admission'
import type { Charging } from '#charging'
import { UsageRecord, type Snapshot } from '#contract'
import {
  admitHead,
  answer,
  arrange,
  createBodyBudget,
  createFlightBoard,
  createHedgeBudget,
  createRetryBudget,
  createSupplierLines,
  refuseOversize,
  renderCodecRefusal,
  startSweep,
  type Gateway,
  type Line,
} from '#gateway'
import { createHolds, type ChargingClient } from '#holds'
import { createTokenizer } from '#metering'
import type { Clock } from '#platform/clock'
import { randomPart, sha256 } from '#platform/crypto'
import { createHttpServer } from '#platform/http'
import { openJournal } from '#platform/journal'
import { nullLog } from '#platform/log'
import { createScheduler } from '#scheduler'

/** The real gateway and the real charging in one process, so that a test sets the clock and the snapshot. */
export interface InProcess extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Nothing is held, unshipped or set aside any more, nobody is served and nobody waits. */
  isAtRest(): boolean
  readonly flow: FlowControl<unknown>
}

/** The hash under which a snapshot files a key. */
export const hashOf = (secret: string): string => sha256(secret)

export async function startInProcess(options: {
  /** The real one, or a client's view of a stand-in where money is not what is tested. */
  readonly charging: Charging | { readonly client: ChargingClient }
  readonly flow?: FlowOptions
  readonly snapshot: Snapshot
  readonly clock: Clock
  /** Requests are numbered from here on, so that several gateways in turn do not give an id twice. */
  readonly firstRequest?: number
  /** Counts every answer again with the service's own vocabulary, as a supplier under audit is. */
  readonly recounts?: boolean
  /** Places in the table of limits; absent: one that all share. */
  readonly slotOf?: (name: string) => number
  /** What is to be otherwise than a test needs it. */
  readonly own?: Partial<Pick<Gateway, 'settings' | 'bodyBudget' | 'newRequestId' | 'observe' | 'refused'>>
}): Promise<InProcess> {
  const { charging, clock } = options
  const dir = mkdtempSync(join(tmpdir(), 'tokenfactory-means-'))
  const journal = await openJournal(dir)
  const holds = createHolds({
    gateway: 'gw-0',
    journal,
    charging: 'client' in charging ? charging.client : clientOf(charging),
    clock,
    log: nullLog,
    limits: { refusedRetryMs: 20 },
  })
  const limits = openLimits(createLimitTable(64, 1), 0)
  const { slotOf = () => 0 } = options
  const lines = createSupplierLines({
    onError: fail,
    secretOf: () => undefined,
    slotOf,
  })
  const directory = arrange(options.snapshot, {
    slotOf,
    classes: options.flow?.policies ?? CLASS_POLICIES,
    supplierLine: lines.line,
    tokenizer: (spec) =>
      createTokenizer(options.recounts && spec.kind === 'tiktoken' ? spec : { kind: 'bytes', bytesPerToken: 4 }, {
        modelRoot: dir,
      }),
  })
  let requests = (options.firstRequest ?? 1) - 1
  let isStopped = false
  const scheduler = createScheduler<Line>({ random: randomPart() })
  scheduler.adopt(directory.market)
  const gateway: Gateway = {
    gatewayId: 'gw-0',
    settings: {
      maxBodyBytes: 100_000,
      maxAnswerBytes: 100_000,
      streamLingerMs: 2_000,
      answerLingerMs: 2_000,
      allowedOrigins: new Set(),
    },
    directory: () => directory,
    admission: createAdmission({ limits, nowNs: process.hrtime.bigint }),
    limits,
    flow: createFlowControl(options.flow),
    waits: openWaits(createWaitTable(64, 1), 0),
    bodyBudget: createBodyBudget(1_000_000),
    holds,
    scheduler,
    retries: createRetryBudget(() => performance.now()),
    hedges: createHedgeBudget(),
    nowMs: () => clock.nowMs(),
    newRequestId: () => `req_${String(++requests).padStart(26, '0')}` as ReturnType<Gateway['newRequestId']>,
    log: nullLog,
    flights: createFlightBoard(),
    observe: () => {},
    refused: () => {},
    isReady: () => journal.failed === null && !holds.stats().fenced,
    isSampled: () => options.recounts === true,
    metricsText: async () => '',
    ...options.own,
  }
  const stopSweep = startSweep(gateway)
  const server = createHttpServer({
    maxHeadBytes: 32_768,
    headTimeoutMs: 10_000,
    bodyTimeoutMs: 10_000,
    keepAliveTimeoutMs: 65_000,
    maxConnections: 10_000,
    onHead: (exchange) => admitHead(exchange, gateway),
    onRequest: (exchange, body) => answer(exchange, body, gateway),
    onOversize: (exchange) => refuseOversize(exchange, gateway),
    renderRefusal: renderCodecRefusal,
    onError: fail,
  })
  const port = await server.listen({ port: 0, host: '127.0.0.1', reusePort: false })
  return {
    url: `http://127.0.0.1:${port}/v1`,
    port,
    flow: gateway.flow,
    isAtRest: () => {
      const { outstandingHolds, unshippedRecords, drainingSlices, quarantinedRecords } = holds.stats()
      return (
        limits.running(0) +
          gateway.flow.size +
          gateway.flights.size +
          outstandingHolds +
          unshippedRecords +
          drainingSlices +
          quarantinedRecords ===
        0
      )
    },
    async [Symbol.asyncDispose]() {
      if (isStopped) return
      isStopped = true
      await server.close(1_000)
      await holds.close(5_000)
      stopSweep()
      lines.close()
      await journal[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** What `charging-client.ts` sends over HTTP, handed over as the text that it is. */
function clientOf(charging: Charging): ChargingClient {
  return {
    register: async (gateway, journal) => (await charging.register({ gateway, journal })).epoch,
    grant: (request) => charging.grant(request),
    close: (gateway, journal, slice, records) => charging.close({ gateway, journal, slice, records }),
    openSlices: async (gateway, journal) => (await charging.openSlices({ gateway, journal })).slices,
    usage: (gateway, records) =>
      charging.ingest({ gateway, records: records.map((text) => UsageRecord.parse(JSON.parse(text.toString()))) }),
  }
}

function fail(error: unknown): never {
  throw error instanceof Error ? error : new Error(String(error))
}

import { createCharging } from '#charging'
import type { Charging } from '#charging'
import { UsageRecord } from '#contract'
import { NO_TOKENS } from '#kernel'
import type { ChargingClient, Hold, Holds, Part, Refusal, Timer } from '#holds'
import { createHolds } from '#holds'
import { manualClock } from '#platform/clock'
import type { ManualClock } from '#platform/clock'
import { nullLog } from '#platform/log'
import type { Database } from '#platform/postgres'
import { journalModel } from '../charging/simulated-journal.ts'
import { START_MS } from '../../test/sample-usage.ts'
import { mortalDatabase } from './mortal.ts'
import { openingOf, recordOf } from './requests.ts'

/** Where one of the two programs dies, if anywhere. The `n`-th moment counts from 1. */
export type Death =
  | { readonly program: 'control plane'; readonly moment: number }
  /** At the n-th entry that it writes to its journal: the entry is lost, or it is on the disk and the gateway never hears of it. */
  | { readonly program: 'gateway'; readonly moment: number; readonly entryKept: boolean }

interface RunningRequest {
  readonly n: number
  readonly parts: readonly Part[]
  readonly holds: readonly Hold[]
  isOpen: boolean
}

/**
 * The real gateway side of charging on the real charging on a real PostgreSQL; only the disk, the network and the clock are models.
 * Calls to charging run one after the other, so that the same script comes to the same moments every time.
 */
export function openWorld(real: Database, death?: Death) {
  const clock: ManualClock = manualClock(START_MS)
  const database = mortalDatabase(real, death?.program === 'control plane' ? death.moment : 0)
  const charging: Charging = createCharging({ database, clock })
  const disk = journalModel()
  const acknowledged = new Map<string, UsageRecord>()
  const refusals: Refusal[] = []
  let entries = 0
  let deaths = 0
  let calls: Promise<unknown> = Promise.resolve()
  let underWay = 0
  let timers: { atMs: number; run: () => void }[] = []
  let running: RunningRequest[] = []
  let life = { isAlive: true }
  let requests = 0
  let holds: Holds = start()

  function start(): Holds {
    const mine = { isAlive: true }
    life = mine
    /** A dead gateway's calls may have arrived; nobody hears the answer. */
    const call = <T>(work: () => Promise<T>): Promise<T> => {
      if (!mine.isAlive) return new Promise(() => undefined)
      underWay++
      const answer = calls.then(work).finally(() => void underWay--)
      calls = answer.catch(() => undefined)
      return new Promise((resolve, reject) => {
        answer.then(
          (value) => mine.isAlive && resolve(value),
          (error: unknown) => mine.isAlive && reject(error as Error),
        )
      })
    }
    const client: ChargingClient = {
      register: (gateway, journal) => call(async () => (await charging.register({ gateway, journal })).epoch),
      grant: (request) => call(() => charging.grant(request)),
      close: (gateway, journal, slice, records) => call(() => charging.close({ gateway, journal, slice, records })),
      openSlices: (gateway, journal) => call(async () => (await charging.openSlices({ gateway, journal })).slices),
      usage: (gateway, records) =>
        call(() =>
          charging.ingest({ gateway, records: records.map((text) => UsageRecord.parse(JSON.parse(text.toString()))) }),
        ),
    }
    const timer: Timer = (delayMs, run) => {
      const entry = { atMs: clock.nowMs() + delayMs, run: () => mine.isAlive && run() }
      timers.push(entry)
      return () => void (timers = timers.filter((each) => each !== entry))
    }
    const journal = disk.open()
    return createHolds({
      gateway: 'gw-0',
      journal: {
        ...journal,
        append(payload, durable) {
          if (!mine.isAlive) return 0
          const dies = death?.program === 'gateway' && ++entries === death.moment
          if (dies && !death.entryKept) {
            mine.isAlive = false
            return 0
          }
          const seq = journal.append(payload, (error) => mine.isAlive && durable?.(error))
          if (dies) mine.isAlive = false
          if (death?.program !== 'gateway') entries++
          return seq
        },
        discardBefore: (seq) => mine.isAlive && journal.discardBefore(seq),
      },
      charging: client,
      clock,
      log: nullLog,
      timer,
      limits: { sliceMinPico: 10n ** 6n, sliceMaxPico: 10n ** 10n, compactAfterEntries: 6, reconcileMs: 5_000 },
    })
  }

  /** Starts again whoever has died. */
  function raise(): void {
    if (database.isDead) {
      deaths++
      database.revive()
    }
    if (life.isAlive) return
    deaths++
    disk.crash(100)
    timers = []
    running = []
    holds = start()
  }

  /** Until nothing happens any more without time passing or the disk writing. */
  async function settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet++) {
      await new Promise((resolve) => setImmediate(resolve))
      if (underWay > 0) {
        await calls
        quiet = -1
      }
    }
    raise()
  }

  async function flow(): Promise<void> {
    await settle()
    disk.sync(Infinity)
    await settle()
  }

  async function wait(ms: number): Promise<void> {
    const untilMs = clock.nowMs() + ms
    for (;;) {
      const next = timers.filter((each) => each.atMs <= untilMs).toSorted((a, b) => a.atMs - b.atMs)[0]
      if (!next) break
      timers = timers.filter((each) => each !== next)
      clock.advance(Math.max(0, next.atMs - clock.nowMs()))
      next.run()
      await flow()
    }
    clock.advance(untilMs - clock.nowMs())
    await flow()
  }

  return {
    clock,
    charging,
    wait,
    /** What an operator or a BSS does: it repeats a call under the same reference until it is answered. */
    async insist<T>(
      call: (plane: { charging: Charging; transaction: Database['transaction'] }) => Promise<T>,
    ): Promise<T> {
      for (;;) {
        try {
          return await call({ charging, transaction: (work) => database.transaction(work) })
        } catch (error) {
          if (!database.isDead) throw error
          raise()
        }
      }
    },
    async place(parts: readonly Part[]): Promise<void> {
      const mine = life
      holds.placeAll(parts, (outcome) => {
        if (!mine.isAlive) return
        if ('refused' in outcome) refusals.push(outcome)
        else running.push({ n: ++requests, parts, holds: outcome, isOpen: false })
      })
      await flow()
    },
    async open(index: number): Promise<void> {
      const request = running[index]
      if (!request) return
      request.isOpen = true
      holds.open(openingOf(request))
      holds.checkpoint(openingOf(request).id, {
        atMs: clock.nowMs(),
        tokens: { ...NO_TOKENS, output: 1 },
        buyPico: '5000000',
      })
      await flow()
    },
    async finish(index: number): Promise<void> {
      const request = running[index]
      if (!request) return
      running.splice(index, 1)
      const mine = life
      const { record, spent } = recordOf(request)
      holds.record(record, (error) => {
        if (!error && mine.isAlive) acknowledged.set(record.id, record)
      })
      request.holds.forEach((hold, i) => hold.capture(spent[i] ?? 0n))
      await flow()
    },
    async voidOne(index: number): Promise<void> {
      const [request] = running.splice(index, 1)
      for (const hold of request?.holds ?? []) hold.void()
      await flow()
    },
    /** Lets everything that is under way come to its end. */
    async comeToRest(): Promise<void> {
      for (let round = 0; round < 12; round++) {
        while (running.length > 0) await this.finish(0)
        await wait(1_500)
      }
    },
    acknowledged,
    refusals,
    opened: () => disk.opened(),
    get moments() {
      return { 'control plane': database.moments, gateway: entries }
    },
    get deaths() {
      return deaths
    },
    stats: () => holds.stats(),
  }
}

export type World = ReturnType<typeof openWorld>

import type { Ask, Choice, Result, Running, Used, Work } from './ask.ts'
import { createAffinity } from './affinity.ts'
import { arrangeMarket } from './arrange.ts'
import type { Standing } from './arrange.ts'
import { createAttempts } from './attempts.ts'
import { createBreakers } from './breaker.ts'
import { createChooser } from './choose.ts'
import { steer } from './commitments.ts'
import { DEBT_TICK_MS } from './debt.ts'
import { keyOf } from './endpoint.ts'
import type { Endpoint } from './endpoint.ts'
import { createErrorRates } from './error-rate.ts'
import { createTpotEstimates } from './estimate-tpot.ts'
import { createTtftEstimates } from './estimate-ttft.ts'
import { createExpectedOutputs } from './expected-output.ts'
import { floorOf } from './lane.ts'
import { tripTheSlow } from './latency-trip.ts'
import { createLimits } from './limit.ts'
import type { Market } from './market.ts'
import { outlookOf } from './outlook.ts'
import type { Outlook } from './outlook.ts'
import { createPeakLatencies } from './peak-ewma.ts'
import type { Place, Seat } from './place.ts'
import { createRateWindows } from './rate-window.ts'
import { createSchedulerTable, openSchedulerTable } from './shared-table.ts'
import type { SharedState } from './shared-table.ts'
import { viewOf } from './view.ts'
import type { SchedulerView } from './view.ts'

/** Pure state: time is passed in, nothing waits, nothing is read or written outside. The simulator runs the same code. */
export interface Scheduler<E extends Endpoint> {
  /** A new snapshot. What was learned of a supplier's model is kept. `gateways`: processes that share what contracts allow. */
  adopt(market: Market<E>, gateways?: number): void
  choose(ask: Ask): Choice<E>
  /** How full and how risky it is for such a request, for whoever decides whether to let it in. Takes nothing. */
  outlook(ask: Ask): Outlook
  /** What runs at an endpoint, and how much it is believed to bear. */
  load(endpoint: E): { readonly inFlight: number; readonly limit: number } | undefined
  /** How long an answer of this tenant and service usually is, in tokens. */
  expectedOutput(tenant: string, service: string): number
  began(endpoint: E, work: Work): Running
  /**
   * How late the first token of an attempt comes that is `sigmas` standard deviations slower than the middle, in milliseconds after it
   * began; undefined while too little was measured.
   */
  firstTokenMs(running: Running, sigmas: number): number | undefined
  /** `ms` after it began. */
  firstToken(running: Running, ms: number): void
  ended(running: Running, result: Result): void
  /** What it used in the end, once per attempt that anybody pays for. */
  settled(running: Running, used: Used): void
  /** A request that nobody answered: no attempt of it says so by itself, as each might have been rescued. */
  lost(ask: Pick<Ask, 'service' | 'slaClass'>): void
  /** To be called a few times a second: prices of debts and contracts move with time. */
  tick(nowMs: number): void
  view(nowMs: number): SchedulerView
}

export interface SchedulerOptions {
  /** In [0, 1), for exploration, ties and jitter: seeded where runs must repeat. */
  readonly random: () => number
  /** Where this gateway stands. */
  readonly region?: string | undefined
  /** Shared with sibling threads; absent: its own. */
  readonly shared?: SharedState
  /** The same number for the same key in every thread that shares; absent: by order of appearance. */
  readonly slotOf?: (key: string) => number
}

const OWN_SLOTS = 4_096
const FORGET_EVERY_MS = 1_000

export function createScheduler<E extends Endpoint>(options: SchedulerOptions): Scheduler<E> {
  const { random, region } = options
  const shared = options.shared ?? openSchedulerTable(createSchedulerTable(OWN_SLOTS, 1), 0)
  const slotOf = options.slotOf ?? numbered(shared.slots)
  const estimates = {
    ttft: createTtftEstimates(shared.slots),
    tpot: createTpotEstimates(shared.slots),
    errors: createErrorRates(shared.slots),
  }
  const state = {
    shared,
    estimates,
    random,
    breakers: createBreakers(shared, random),
    limits: createLimits(shared),
    rates: createRateWindows(shared),
    affinity: createAffinity(shared.slots),
    peaks: createPeakLatencies(shared.slots),
    outputs: createExpectedOutputs(),
  }
  const standing: Standing = { lanes: new Map(), commitments: new Map() }
  const choosePlace = createChooser<E>(state)
  const attempts = createAttempts(state)
  let places = new Map<string, Place<E>>()
  let seats = new Map<E, Seat<E>>()
  let forgottenAtMs = 0
  let steeredAtMs = 0

  return {
    adopt(market, gateways = 1) {
      places = arrangeMarket(market, standing, {
        slotOf,
        region,
        gateways,
        writers: gateways * shared.workers,
        expectTtft: estimates.ttft.expect,
      })
      seats = new Map([...places.values()].flatMap((place) => place.seats.map((seat) => [seat.endpoint, seat])))
    },
    choose(ask) {
      const place = places.get(ask.service)
      return place ? choosePlace(place, ask) : { order: [], candidates: [], missProbability: undefined }
    },
    outlook(ask) {
      const place = places.get(ask.service)
      return outlookOf(place, ask, state)
    },
    load(endpoint) {
      const seat = seats.get(endpoint)
      return seat && { inFlight: shared.inFlight(seat.slot), limit: state.limits.of(seat.slot, seat.most) }
    },
    expectedOutput: state.outputs.tokens,
    began(endpoint, work) {
      const seat = seats.get(endpoint) ?? seatAgain(places.get(work.service), endpoint)
      if (!seat) throw new Error(`${keyOf(endpoint)} is not of this market`)
      return attempts.began(seat, work, places.get(work.service)?.lanes[work.slaClass])
    },
    firstTokenMs: attempts.firstTokenMs,
    firstToken: attempts.firstToken,
    ended: attempts.ended,
    settled: attempts.settled,
    lost({ service, slaClass }) {
      places.get(service)?.lanes[slaClass]?.debt.count(false)
    },
    tick(nowMs) {
      attempts.noticeLate(nowMs)
      if (nowMs - forgottenAtMs >= FORGET_EVERY_MS) {
        if (forgottenAtMs > 0) estimates.errors.decay(nowMs - forgottenAtMs)
        forgottenAtMs = nowMs
      }
      const elapsedMs = nowMs - steeredAtMs
      if (elapsedMs < DEBT_TICK_MS) return
      if (steeredAtMs > 0) {
        for (const lane of standing.lanes.values()) lane.debt.tick(floorOf(lane), 1 - lane.allowance)
        for (const commitment of standing.commitments.values()) steer(commitment, elapsedMs, nowMs)
        for (const place of places.values()) tripTheSlow(place, state, nowMs)
      }
      steeredAtMs = nowMs
    },
    view: (nowMs) => viewOf(places.values(), standing, state, nowMs),
  }
}

/** A request that began under an older snapshot goes on with the endpoint of that one. */
function seatAgain<E extends Endpoint>(place: Place<E> | undefined, endpoint: E): Seat<E> | undefined {
  return place?.seats.find((seat) => keyOf(seat.endpoint) === keyOf(endpoint))
}

function numbered(slots: number): (key: string) => number {
  const known = new Map<string, number>()
  return (key) => {
    let slot = known.get(key)
    if (slot === undefined) {
      slot = Math.min(known.size, slots - 1)
      known.set(key, slot)
    }
    return slot
  }
}

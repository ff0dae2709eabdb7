import type { Candidate, CapacityLot } from '#contract'
import type { Ask, Choice, Result, Running, Used, Work } from './ask.ts'
import { createBreakers } from './breaker.ts'
import { keyOf } from './endpoint.ts'
import type { Endpoint } from './endpoint.ts'
import { verdictOf } from './filters.ts'
import type { Market, ServiceOffer } from './market.ts'
import { healthOf } from './model.ts'

/** Pure state: time is passed in, nothing waits, nothing is read or written outside. The simulator runs the same code. */
export interface Scheduler<E extends Endpoint> {
  /** A new snapshot. What was learned of a supplier's model is kept. */
  adopt(market: Market<E>): void
  choose(ask: Ask): Choice<E>
  began(endpoint: E, work: Work): Running
  /** `ms` after it began. */
  firstToken(running: Running, ms: number): void
  ended(running: Running, result: Result): void
  /** What it used in the end, once per attempt that anybody pays for. */
  settled(running: Running, used: Used): void
  /** To be called about once a second: prices of debts and contracts move with time. */
  tick(nowMs: number): void
  view(): SchedulerView
}

/** What a page may show. */
export interface SchedulerView {
  readonly endpoints: readonly {
    readonly supplier: string
    readonly model: string
    readonly inFlight: number
  }[]
}

export function createScheduler<E extends Endpoint>(): Scheduler<E> {
  let services = new Map<string, ServiceOffer<E>>()
  let lots = new Map<string, CapacityLot[]>()
  let now = 0
  const inFlight = new Map<string, number>()
  const breakers = createBreakers(() => now)
  const lotsOf = (endpoint: Endpoint) => lots.get(keyOf(endpoint)) ?? []

  return {
    adopt(market) {
      services = new Map(market.services.map((service) => [service.id, service]))
      lots = Map.groupBy(market.lots, ({ supplier, model }) => keyOf({ supplierId: supplier, model }))
    },
    choose(ask) {
      now = ask.nowMs
      const service = services.get(ask.service)
      if (!service) return { order: [], candidates: [], missProbability: undefined }
      const terms = { serviceRegions: service.regions, lotsOf }
      const eligible: E[] = []
      const open: E[] = []
      const candidates: Candidate[] = []
      for (const endpoint of service.endpoints) {
        const lawful = verdictOf(endpoint, ask, terms)
        const verdict = lawful === 'eligible' && !breakers.allows(keyOf(endpoint)) ? 'breaker_open' : lawful
        candidates.push({ supplier: endpoint.supplierId, model: endpoint.model, verdict })
        if (ask.tried.some((tried) => keyOf(tried) === keyOf(endpoint))) continue
        if (verdict === 'eligible') eligible.push(endpoint)
        else if (verdict === 'breaker_open') open.push(endpoint)
      }
      // Refusing for certain is worse than probably failing.
      const order = eligible.length > 0 ? eligible : open
      return {
        order: order.toSorted((a, b) => a.priority - b.priority || priceOf(a, ask) - priceOf(b, ask)),
        candidates,
        missProbability: undefined,
      }
    },
    began(endpoint, work) {
      now = work.nowMs
      const key = keyOf(endpoint)
      inFlight.set(key, (inFlight.get(key) ?? 0) + 1)
      breakers.began(key)
      return { key, beganMs: work.nowMs }
    },
    firstToken() {},
    ended({ key }, { outcome, nowMs }) {
      now = nowMs
      inFlight.set(key, (inFlight.get(key) ?? 1) - 1)
      breakers.ended(key, healthOf(outcome))
    },
    settled() {},
    tick(nowMs) {
      now = nowMs
    },
    view: () => ({
      endpoints: [...inFlight].map(([key, running]) => {
        const [supplier = '', model = ''] = key.split(' ')
        return { supplier, model, inFlight: running }
      }),
    }),
  }
}

function priceOf(endpoint: Endpoint, ask: Ask): number {
  const costs = endpoint.costsAt(ask.acceptedAtMs, ask.slaClass, ask.inputTokens)
  return costs ? ask.inputTokens * costs.input + ask.expectedOutputTokens * costs.output : Number.POSITIVE_INFINITY
}

import type { SlaTarget } from '#contract'
import { createScheduler } from '#scheduler'
import type { Ask, Endpoint, Market, Running } from '#scheduler'
import { priceAt } from '../market.ts'
import type { Promised, SimulatedSupplier } from '../market.ts'
import type { Policy, PolicyKind, Question, Surroundings } from '../policy.ts'
import { CLASSES } from '../workload.ts'

const SERVICE = 'sim'

/** What of our own scheduler is left out, to see what it is worth. */
export interface Without {
  readonly commitments?: boolean
  readonly affinity?: boolean
  readonly strategy?: 'cost' | 'effect' | 'balanced'
}

interface SimulatedEndpoint extends Endpoint {
  readonly index: number
}

/** How much of a prompt's beginning makes its key: the first block is often everybody's, the next is the conversation's own. */
const KEY_BLOCKS = 2

/** The scheduler that runs in production, fed by the simulated gateway as the real one feeds it. */
export function ours(name: string, title: string, without: Without = {}): PolicyKind {
  return { name, title, make: (around) => policyOf(around, without) }
}

function policyOf(around: Surroundings, without: Without): Policy<Running> {
  const scheduler = createScheduler<SimulatedEndpoint>({ random: around.random, region: around.region })
  const endpoints = around.market.suppliers.map(endpointOf)
  const market: Market<SimulatedEndpoint> = {
    services: [{ id: SERVICE, sla: slaOf(around.market.promised), regions: undefined, endpoints }],
    links: around.market.links,
    commitments: without.commitments ? [] : around.market.commitments,
    lots: [],
  }
  scheduler.adopt(market, around.gateways)
  const askOf = (question: Question): Ask => {
    const tenant = String(question.tenant)
    return {
      service: SERVICE,
      slaClass: CLASSES[question.slaClass]!,
      strategy: without.strategy ?? 'balanced',
      tenant,
      inputTokens: question.inputTokens,
      expectedOutputTokens: Math.round(scheduler.expectedOutput(tenant, SERVICE)),
      prefixKey:
        without.affinity || question.blocks.length < KEY_BLOCKS
          ? undefined
          : question.blocks.subarray(0, KEY_BLOCKS).join(' '),
      needs: [],
      regions: undefined,
      nowMs: EPOCH_MS + question.nowMs,
      acceptedAtMs: EPOCH_MS + question.acceptedAtMs,
      tried: question.tried.map((index) => endpoints[index]!),
    }
  }
  let missProbability = Number.NaN
  return {
    get missProbability() {
      return missProbability
    },
    pick(question) {
      const choice = scheduler.choose(askOf(question))
      missProbability = choice.missProbability ?? Number.NaN
      return choice.order[0]?.index ?? -1
    },
    began(attempt) {
      attempt.note = scheduler.began(endpoints[attempt.supplier]!, askOf(attempt.question))
    },
    firstToken: ({ note }, ms) => scheduler.firstToken(note!, ms),
    ended: ({ note }, { outcome, nowMs, retryAfterMs }) =>
      scheduler.ended(note!, {
        outcome,
        status: outcome === 'status_429' ? 429 : outcome === 'status_5xx' ? 503 : null,
        retryAfterMs,
        nowMs: EPOCH_MS + nowMs,
      }),
    settled: ({ note }, { inputTokens, cachedTokens, outputTokens }) =>
      scheduler.settled(note!, { inputTokens, cachedInputTokens: cachedTokens, outputTokens }),
    lost: ({ slaClass }) => scheduler.lost({ service: SERVICE, slaClass: CLASSES[slaClass]! }),
    tick: (nowMs) => scheduler.tick(EPOCH_MS + nowMs),
  }
}

/** The scheduler takes a time of zero for none yet. */
export const EPOCH_MS = 1_000_000_000

function endpointOf(supplier: Surroundings['market']['suppliers'][number], index: number): SimulatedEndpoint {
  return {
    index,
    supplierId: supplier.name,
    model: 'm',
    priority: 0,
    hasCredentials: true,
    costsAt: (atMs) => priceAt(supplier as SimulatedSupplier, atMs - EPOCH_MS),
    region: supplier.region,
    ...(supplier.toldLimit === undefined ? {} : { maxConcurrency: supplier.toldLimit }),
  }
}

function slaOf(promised: Surroundings['market']['promised']): SlaTarget[] {
  return Object.entries(promised).map(([slaClass, { ttftMs, tpotMs, attainment, missPico }]: [string, Promised]) => ({
    class: slaClass as SlaTarget['class'],
    ttftMs,
    tpotMs,
    attainmentPpm: Math.round(attainment * 1e6),
    missPico: String(Math.round(missPico)),
  }))
}

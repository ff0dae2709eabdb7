import { priceAt } from './market.ts'
import { BROKEN, FAILED, SERVED, SHED } from './tally.ts'
import type { Tally } from './tally.ts'
import { CLASSES, durationMs } from './workload.ts'

/** One run in figures; each is a number that can be averaged over seeds. */
export interface Measures {
  /** Good of offered: what was shed or broken counts as not good. */
  readonly goodput: number
  /** Good of those that were let in. */
  readonly attainment: number
  readonly byClass: Readonly<Record<string, number>>
  readonly ttftP50: number
  readonly ttftP95: number
  readonly ttftP99: number
  readonly tpotP50: number
  readonly tpotP95: number
  /** Yuan per million tokens delivered, with what was to be taken or paid for and not taken. */
  readonly costPerMillion: number
  readonly shortfallPerMillion: number
  readonly shed: number
  readonly failed: number
  /** Calls beyond one per request. */
  readonly extraCalls: number
  readonly hitRate: number
  readonly shares: Readonly<Record<string, number>>
  /** Of tenants' goodput (Jain's index): 1 when all fare alike. */
  readonly jain: number
  /** Of the probability of a miss; NaN: the policy has none. */
  readonly brier: number
  readonly climatology: number
  /** Of that probability, in bins: how often a miss came where it was said to. */
  readonly reliability: readonly ReliabilityBin[]
}

export interface ReliabilityBin {
  readonly upTo: number
  readonly requests: number
  readonly predicted: number
  readonly missed: number
}

const BIN_EDGES = [0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1]

const PICO_PER_YUAN = 1e12

export function measure(tally: Tally): Measures {
  const { workload, market } = tally
  const good = goodOf(tally)
  const offered = workload.count
  const count = (fate: number) => tally.fate.reduce((sum, each) => sum + (each === fate ? 1 : 0), 0)
  const goods = good.reduce((sum, each) => sum + each, 0)
  const delivered = tally.delivered.reduce((sum, each) => sum + each, 0)
  const { usage, shortfall } = costs(tally)
  const ttft = sorted(tally.ttftMs)
  const tpot = sorted(tally.tpotMs)
  const attempts = tally.attempts.reduce((sum, each) => sum + each, 0)
  const input = workload.inputTokens.reduce((sum, each, i) => sum + (tally.fate[i] === SERVED ? each : 0), 0)
  return {
    goodput: goods / offered,
    attainment: goods / Math.max(1, offered - count(SHED)),
    byClass: groupMeans(good, workload.slaClass, (slaClass) => CLASSES[slaClass]!),
    ttftP50: quantile(ttft, 0.5),
    ttftP95: quantile(ttft, 0.95),
    ttftP99: quantile(ttft, 0.99),
    tpotP50: quantile(tpot, 0.5),
    tpotP95: quantile(tpot, 0.95),
    costPerMillion: (usage + shortfall) / PICO_PER_YUAN / (delivered / 1e6),
    shortfallPerMillion: shortfall / PICO_PER_YUAN / (delivered / 1e6),
    shed: count(SHED) / offered,
    failed: (count(FAILED) + count(BROKEN)) / offered,
    extraCalls: attempts / Math.max(1, offered - count(SHED)) - 1,
    hitRate: tally.cachedTokens.reduce((sum, each) => sum + each, 0) / Math.max(1, input),
    shares: Object.fromEntries(market.suppliers.map(({ name }, i) => [name, tally.delivered[i]! / delivered])),
    jain: jain(Object.values(groupMeans(good, workload.tenant, String))),
    ...brierOf(tally, good),
    reliability: reliabilityOf(tally, good),
  }
}

/** 1: served whole, with its first token and its pace as promised. */
export function goodOf({ workload, market, fate, ttftMs, tpotMs }: Tally): Uint8Array {
  return Uint8Array.from(fate, (each, i) => {
    const promise = market.promised[CLASSES[workload.slaClass[i]!]!]
    if (each !== SERVED) return 0
    return !promise || (ttftMs[i]! <= promise.ttftMs && tpotMs[i]! <= promise.tpotMs) ? 1 : 0
  })
}

function costs(tally: Tally): { usage: number; shortfall: number } {
  const { workload, market, delivered, usagePico, networkPico, minutes } = tally
  let usage = networkPico.reduce((sum, each) => sum + each, 0)
  let shortfall = 0
  market.suppliers.forEach((supplier, i) => {
    let own = usagePico[i]!
    for (const { supplier: name, terms } of market.commitments) {
      if (name !== supplier.name) continue
      const price = mixedPrice(tally, i)
      if (terms.kind === 'take_or_pay') shortfall += Math.max(0, terms.tokens - delivered[i]!) * price
      if (terms.kind === 'reserved_rate') {
        const wholeMinutes = Math.ceil(durationMs(workload) / 60_000)
        own = terms.tokensPerMinute * price * wholeMinutes
        for (const { tokens, pico } of minutes[i]!.values())
          own += Math.max(0, 1 - terms.tokensPerMinute / tokens) * pico
      }
    }
    usage += own
  })
  return { usage, shortfall }
}

/** What a token of the whole workload would cost there, uncached. */
export function mixedPrice({ workload, market }: Tally, supplier: number): number {
  const { input, output } = priceAt(market.suppliers[supplier]!, 0)
  const inputs = workload.inputTokens.reduce((sum, each) => sum + each, 0)
  const outputs = workload.outputTokens.reduce((sum, each) => sum + each, 0)
  return (inputs * input + outputs * output) / (inputs + outputs)
}

export function sorted(values: Float64Array): Float64Array {
  return values.filter((value) => !Number.isNaN(value)).sort()
}

/** The smallest value that at least this part of all do not exceed. */
export function quantile(ascending: Float64Array, part: number): number {
  return ascending[Math.max(0, Math.ceil(part * ascending.length) - 1)] ?? Number.NaN
}

function groupMeans(
  good: Uint8Array,
  group: ArrayLike<number>,
  nameOf: (group: number) => string,
): Record<string, number> {
  const sums = new Map<number, [good: number, all: number]>()
  good.forEach((each, i) => {
    const [goods, all] = sums.get(group[i]!) ?? [0, 0]
    sums.set(group[i]!, [goods + each, all + 1])
  })
  return Object.fromEntries([...sums].map(([each, [goods, all]]) => [nameOf(each), goods / all]))
}

export function jain(values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0)
  const squares = values.reduce((total, value) => total + value * value, 0)
  return squares === 0 ? 1 : sum ** 2 / (values.length * squares)
}

function brierOf({ missProbability }: Tally, good: Uint8Array): { brier: number; climatology: number } {
  let [square, misses, all] = [0, 0, 0]
  missProbability.forEach((predicted, i) => {
    if (Number.isNaN(predicted)) return
    const miss = 1 - good[i]!
    square += (predicted - miss) ** 2
    misses += miss
    all++
  })
  const rate = misses / all
  return all === 0
    ? { brier: Number.NaN, climatology: Number.NaN }
    : { brier: square / all, climatology: rate * (1 - rate) }
}

function reliabilityOf({ missProbability }: Tally, good: Uint8Array): ReliabilityBin[] {
  const bins = BIN_EDGES.map((upTo) => ({ upTo, requests: 0, predicted: 0, missed: 0 }))
  missProbability.forEach((predicted, i) => {
    const bin = bins.find(({ upTo }) => predicted <= upTo)
    if (!bin) return
    bin.requests++
    bin.predicted += predicted
    bin.missed += 1 - good[i]!
  })
  return bins
}

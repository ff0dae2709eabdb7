import { boundedLoad, rendezvousWeight } from './affinity.ts'
import type { Endpoint } from './endpoint.ts'
import type { FilterState } from './filters.ts'
import type { PeakLatencies } from './peak-ewma.ts'
import { isBetter } from './pick.ts'
import type { Seat } from './place.ts'
import type { ScoreState, Terms } from './score.ts'

const EXPLORE = 0.01
/** Scores this close, measured by the best one's price, say the same. */
const NEAR_TIE = 0.02
/** Nobody explores what is nearly full or nearly certain to miss. */
const HOT = 0.8
const HOPELESS = 0.5
/** Who has answered nothing for so long is asked first when somebody is tried out. */
const SILENT_MS = 10_000

export interface ChooseState extends FilterState, ScoreState {
  readonly peaks: PeakLatencies
  readonly random: () => number
}

/**
 * Now and then somebody else of the same tier, so that what is not used does not stay unknown for ever: who has been silent longest,
 * however bad it was when it was last heard of; while all are heard of, any that is not hopeless.
 */
export function explored(
  seats: readonly Seat<Endpoint>[],
  terms: Terms,
  eligible: Int32Array,
  count: number,
  best: Int32Array,
  nowMs: number,
  { random, shared, limits, peaks }: ChooseState,
): number | undefined {
  if (random() >= EXPLORE) return undefined
  const tier = terms.tier[best[0] as number]
  let stalest = -1
  let longestMs = SILENT_MS
  for (let k = 0; k < count; k++) {
    const i = eligible[k] as number
    const { slot } = seats[i] as Seat<Endpoint>
    const silentMs = peaks.silentMs(slot, nowMs)
    // One at a time: if it is still ill, one request finds out.
    if (silentMs <= longestMs || terms.tier[i] !== tier || shared.inFlight(slot) > 0) continue
    longestMs = silentMs
    stalest = i
  }
  if (stalest >= 0) return stalest
  const i = eligible[Math.floor(random() * count)] as number
  const { slot, most } = seats[i] as Seat<Endpoint>
  const isHot = shared.inFlight(slot) >= HOT * limits.of(slot, most)
  return terms.tier[i] === tier && (terms.missProbability[i] as number) <= HOPELESS && !isHot ? i : undefined
}

/** Of those that are as good as the best: where the prompt's like go, as long as that one has not more than its part; else any. */
export function tieBreak(
  seats: readonly Seat<Endpoint>[],
  terms: Terms,
  best: Int32Array,
  ordered: number,
  key: number,
  { random, shared, limits }: ChooseState,
): number {
  const top = best[0] as number
  const within =
    NEAR_TIE *
    Math.abs(terms.rank[top] === terms.total[top] ? (terms.price[top] as number) : (terms.rank[top] as number))
  let ties = 1
  while (ties < ordered) {
    const next = best[ties] as number
    if (terms.tier[next] !== terms.tier[top] || (terms.rank[next] as number) > (terms.rank[top] as number) + within)
      break
    ties++
  }
  if (ties === 1) return top
  if (key === 0) return best[Math.floor(random() * ties)] as number
  let allInFlight = 0
  let allLimits = 0
  for (let k = 0; k < ties; k++) {
    const { slot, most } = seats[best[k] as number] as Seat<Endpoint>
    allInFlight += shared.inFlight(slot)
    allLimits += limits.of(slot, most)
  }
  let chosen = -1
  let heaviest = -1
  for (let k = 0; k < ties; k++) {
    const { slot, most } = seats[best[k] as number] as Seat<Endpoint>
    const weight = rendezvousWeight(key, slot)
    if (weight <= heaviest || shared.inFlight(slot) >= boundedLoad(allInFlight, limits.of(slot, most), allLimits))
      continue
    chosen = best[k] as number
    heaviest = weight
  }
  return chosen < 0 ? top : chosen
}

/** The predictions are worth nothing now: latency · (in flight + 1) ranks, and the better of two at random is taken. */
export function rankByPeak(
  seats: readonly Seat<Endpoint>[],
  { peaks, shared }: ChooseState,
  terms: Terms,
  eligible: Int32Array,
  count: number,
): void {
  for (let k = 0; k < count; k++) {
    const i = eligible[k] as number
    const { slot } = seats[i] as Seat<Endpoint>
    terms.rank[i] = peaks.cost(slot, shared.inFlight(slot))
  }
}

export function powerOfTwo(
  terms: Terms,
  eligible: Int32Array,
  count: number,
  best: Int32Array,
  { random }: ChooseState,
): number {
  const tier = terms.tier[best[0] as number]
  let chosen = -1
  // Seats of the best tier only; two draws that miss it leave the best one.
  for (let draw = 0; draw < 2; draw++) {
    const i = eligible[Math.floor(random() * count)] as number
    if (terms.tier[i] === tier && (chosen < 0 || isBetter(terms, i, chosen))) chosen = i
  }
  return chosen < 0 ? (best[0] as number) : chosen
}

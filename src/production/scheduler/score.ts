import type { Ask } from './ask.ts'
import type { Affinity } from './affinity.ts'
import { createColumns } from './columns.ts'
import type { Columns } from './columns.ts'
import { reliefOf, urgencyOf } from './commitments.ts'
import type { Endpoint, TokenCosts } from './endpoint.ts'
import { floorOf } from './lane.ts'
import type { Lane } from './lane.ts'
import { readMisses } from './miss.ts'
import type { Estimates } from './miss.ts'
import type { Seat } from './place.ts'
import type { SharedState } from './shared-table.ts'

/** On the wire an input token is about four bytes, an output token about two hundred: each comes in an event of its own. */
const INPUT_BYTES = 4
const OUTPUT_BYTES = 200
/** Contracts wait where the promise is in danger: from this many times the share of misses that may be. */
const STRESS = 2
const USUAL_ALLOWANCE = 0.01
/** Below the lowest bin of the reliability curve predictions do not tell one risk from another: no promise is in danger by them. */
const LEAST_ALLOWANCE = 0.005
/** Risks this close are the same. */
const ABOUT_AS_SAFE = 0.005
/** Later than any answer. */
const UNSAFE_MS = 1e12

/**
 * The terms of J = price − λ·w + V·P(miss) + network + affinity in pico-yuan (scheduling reference §2.1). Made once and written anew
 * by every choice: a decision among two hundred allocates nothing for its arithmetic.
 */
export interface Terms extends Columns {
  readonly price: Float64Array
  readonly commitment: Float64Array
  readonly miss: Float64Array
  readonly network: Float64Array
  readonly affinity: Float64Array
  readonly total: Float64Array
  /** What decides: the total, or what the strategy puts in its place. */
  readonly rank: Float64Array
  /** Priority first, then contracts that must be fed or must wait. */
  readonly tier: Float64Array
}

export function createTerms(room: number): Terms {
  const column = () => new Float64Array(room)
  return {
    ...createColumns(room),
    price: column(),
    commitment: column(),
    miss: column(),
    network: column(),
    affinity: column(),
    total: column(),
    rank: column(),
    tier: column(),
  }
}

export interface ScoreState {
  readonly shared: SharedState
  readonly estimates: Estimates
  readonly affinity: Affinity
}

/** Writes the terms of the picked seats. `warmSlot` is where the prompt's beginning is cached. */
export function score(
  terms: Terms,
  seats: readonly Seat<Endpoint>[],
  costs: readonly (TokenCosts | undefined)[],
  ask: Ask,
  lane: Lane | undefined,
  warmSlot: number,
  { shared, estimates, affinity }: ScoreState,
): void {
  const { picked, count, hitRate, uncachedTokens } = terms
  const { inputTokens } = ask
  affinity.readHits(terms, warmSlot)
  for (let k = 0; k < count; k++) {
    const i = picked[k] as number
    uncachedTokens[i] = inputTokens * (1 - (hitRate[i] as number))
  }
  shared.readLoads(terms)
  readMisses(estimates, terms, lane)
  lane?.calibration.correctAll(terms)
  readPrices(terms, seats, costs, ask)
  readContracts(terms, seats, ask, lane)
  sumUp(terms, ask, lane)
}

function readPrices(
  { picked, count, hitRate, price, affinity, network }: Terms,
  seats: readonly Seat<Endpoint>[],
  costs: readonly (TokenCosts | undefined)[],
  { inputTokens, expectedOutputTokens: outputTokens }: Ask,
): void {
  const bytes = INPUT_BYTES * inputTokens + OUTPUT_BYTES * outputTokens
  for (let k = 0; k < count; k++) {
    const i = picked[k] as number
    const { input, cachedInput, output } = costs[i] as TokenCosts
    const { endpoint, bytePico } = seats[i] as Seat<Endpoint>
    price[i] = (inputTokens * input + outputTokens * output) * (1_000_000 / (endpoint.trustPpm ?? 1_000_000))
    affinity[i] = -inputTokens * (hitRate[i] as number) * Math.max(0, input - cachedInput)
    network[i] = bytes * bytePico
  }
}

/** What contracts take off or put on, and whom they put first or last. */
function readContracts(
  { picked, count, price, affinity, missProbability, commitment, tier }: Terms,
  seats: readonly Seat<Endpoint>[],
  ask: Ask,
  lane: Lane | undefined,
): void {
  const stress = STRESS * (lane ? Math.max(LEAST_ALLOWANCE, lane.allowance) : USUAL_ALLOWANCE)
  for (let k = 0; k < count; k++) {
    const i = picked[k] as number
    const seat = seats[i] as Seat<Endpoint>
    commitment[i] = 0
    tier[i] = 3 * seat.endpoint.priority + 1
    if (seat.commitments.length === 0) continue
    let relief = 0
    let urgency = 0
    for (const each of seat.commitments) {
      relief += reliefOf(each, ask.inputTokens + ask.expectedOutputTokens, ask.nowMs)
      urgency += urgencyOf(each, ask.nowMs)
    }
    // SLA first, contracts second.
    if ((missProbability[i] as number) > stress) {
      relief = Math.min(0, relief)
      urgency = Math.max(0, urgency)
    }
    commitment[i] = -Math.min(1, relief) * ((price[i] as number) + (affinity[i] as number))
    tier[i] = tier[i] + Math.sign(urgency)
  }
}

function sumUp(
  { picked, count, price, commitment, miss, missProbability, network, affinity, total, rank }: Terms,
  ask: Ask,
  lane: Lane | undefined,
): void {
  const missPrice = lane ? missPriceOf(lane, ask) : undefined
  for (let k = 0; k < count; k++) {
    const i = picked[k] as number
    // Without a promise, what has to be asked again costs the same once more.
    const each = missPrice ?? price[i] ?? 0
    miss[i] = each * (missProbability[i] as number)
    const sum =
      (price[i] as number) + (affinity[i] as number) + (commitment[i] as number) + miss[i] + (network[i] as number)
    total[i] = sum
    rank[i] = sum
  }
}

/** V: what avoiding a miss is worth now. The cheapest that keeps the SLA pays more than a miss costs only while the SLA is not kept. */
function missPriceOf(lane: Lane, { strategy }: Ask): number {
  const floor = floorOf(lane)
  return strategy === 'cost' && !lane.debt.isInDebt ? floor : Math.max(floor, lane.debt.price)
}

/** Best measured first: of those about as safe as the safest, the fastest; cost does not count. */
export function rankByEffect(
  { picked, count, slots, missProbability, inFlight, tokensAhead, rank }: Terms,
  ask: Ask,
  { estimates }: ScoreState,
): void {
  let safest = 1
  for (let k = 0; k < count; k++) safest = Math.min(safest, missProbability[picked[k] as number] as number)
  for (let k = 0; k < count; k++) {
    const i = picked[k] as number
    const slot = slots[i] as number
    const ttftMs = Math.exp(estimates.ttft.lnMs(slot, 0, tokensAhead[i] as number))
    const wholeMs = ttftMs + ask.expectedOutputTokens * estimates.tpot.ms(slot, inFlight[i] as number)
    const probability = missProbability[i] as number
    rank[i] = probability <= safest + ABOUT_AS_SAFE ? wholeMs : UNSAFE_MS * (1 + probability)
  }
}

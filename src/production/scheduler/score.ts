import type { Ask } from './ask.ts'
import type { Affinity } from './affinity.ts'
import { reliefOf, urgencyOf } from './commitments.ts'
import type { Endpoint, TokenCosts } from './endpoint.ts'
import { floorOf } from './lane.ts'
import type { Lane } from './lane.ts'
import { missProbability } from './miss.ts'
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

/**
 * The terms of J = price − λ·w + V·P(miss) + network + affinity in pico-yuan (scheduling reference §2.1), one array per term, dense by
 * seat, made once and written anew by every choice: a decision among two hundred allocates nothing for its arithmetic.
 */
export interface Terms {
  price: Float64Array
  commitment: Float64Array
  miss: Float64Array
  missProbability: Float64Array
  network: Float64Array
  affinity: Float64Array
  total: Float64Array
  /** What decides: the total, or what the strategy puts in its place. */
  rank: Float64Array
  /** Priority first, then contracts that must be fed or must wait. */
  tier: Float64Array
}

export function createTerms(seats: number): Terms {
  const column = () => new Float64Array(seats)
  return {
    price: column(),
    commitment: column(),
    miss: column(),
    missProbability: column(),
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

/** Writes the terms of one seat. `warmSlot` is where the prompt's beginning is cached. */
export function score(
  terms: Terms,
  i: number,
  seat: Seat<Endpoint>,
  costs: TokenCosts,
  ask: Ask,
  lane: Lane | undefined,
  warmSlot: number,
  { shared, estimates, affinity }: ScoreState,
): void {
  const { slot } = seat
  const { inputTokens, expectedOutputTokens: outputTokens } = ask
  const cachedTokens = inputTokens * affinity.hitRate(slot, slot === warmSlot)
  const uncachedTokens = inputTokens - cachedTokens
  const price = inputTokens * costs.input + outputTokens * costs.output
  const saving = cachedTokens * Math.max(0, costs.input - costs.cachedInput)
  const load = {
    uncachedTokens,
    tokensAhead: uncachedTokens + shared.prefillTokens(slot),
    inFlight: shared.inFlight(slot),
  }
  const raw = missProbability(estimates, slot, load, lane)
  const probability = lane ? lane.calibration.correct(raw) : raw
  const isStressed = probability > STRESS * (lane ? Math.max(LEAST_ALLOWANCE, lane.allowance) : USUAL_ALLOWANCE)
  let relief = 0
  let urgency = 0
  for (const commitment of seat.commitments) {
    relief += reliefOf(commitment, inputTokens + outputTokens, ask.nowMs)
    urgency += urgencyOf(commitment, ask.nowMs)
  }
  // SLA first, contracts second.
  if (isStressed) {
    relief = Math.min(0, relief)
    urgency = Math.max(0, urgency)
  }
  const network = seat.bytePico * (INPUT_BYTES * inputTokens + OUTPUT_BYTES * outputTokens)
  terms.price[i] = price
  terms.commitment[i] = -Math.min(1, relief) * (price - saving)
  terms.missProbability[i] = probability
  terms.miss[i] = missPriceOf(lane, ask, price) * probability
  terms.network[i] = network
  terms.affinity[i] = -saving
  terms.total[i] = price - saving + terms.commitment[i] + terms.miss[i] + network
  terms.rank[i] = terms.total[i]
  terms.tier[i] = 3 * seat.endpoint.priority + 1 + Math.sign(urgency)
}

/** V: what avoiding a miss is worth now. Without a promise, what has to be asked again costs the same once more. */
function missPriceOf(lane: Lane | undefined, { strategy }: Ask, price: number): number {
  if (!lane) return price
  // The cheapest that keeps the SLA pays more than a miss costs only while the SLA is not kept.
  return strategy === 'cost' && !lane.debt.isInDebt ? floorOf(lane) : Math.max(floorOf(lane), lane.debt.price)
}

/** Best measured first: of those about as safe as the safest, the fastest; cost does not count. */
export function rankByEffect(
  terms: Terms,
  seats: readonly Seat<Endpoint>[],
  eligible: Int32Array,
  count: number,
  ask: Ask,
  { shared, estimates }: ScoreState,
): void {
  let safest = 1
  for (let k = 0; k < count; k++) safest = Math.min(safest, terms.missProbability[eligible[k] as number] as number)
  for (let k = 0; k < count; k++) {
    const i = eligible[k] as number
    const { slot } = seats[i] as Seat<Endpoint>
    const ttftMs = Math.exp(estimates.ttft.lnMs(slot, 0, ask.inputTokens + shared.prefillTokens(slot)))
    const wholeMs = ttftMs + ask.expectedOutputTokens * estimates.tpot.ms(slot, shared.inFlight(slot))
    const probability = terms.missProbability[i] as number
    terms.rank[i] = probability <= safest + ABOUT_AS_SAFE ? wholeMs : UNSAFE_MS * (1 + probability)
  }
}

const ABOUT_AS_SAFE = 0.005
const UNSAFE_MS = 1e12

import type { Candidate } from '#contract'
import type { Ask, Choice } from './ask.ts'
import { keyOf } from './endpoint.ts'
import type { Endpoint, TokenCosts } from './endpoint.ts'
import { verdictOf } from './filters.ts'
import type { Verdict } from './filters.ts'
import { explored, powerOfTwo, rankByPeak, tieBreak } from './first-choice.ts'
import type { ChooseState } from './first-choice.ts'
import { learnPrice } from './lane.ts'
import { ORDERED, pickBest, putFirst } from './pick.ts'
import { candidateOf } from './place.ts'
import type { Place, Seat } from './place.ts'
import { createTerms, rankByEffect, score } from './score.ts'
import type { Terms } from './score.ts'

/** Buffers that every choice writes anew. */
interface Scratch {
  seats: number
  terms: Terms
  verdicts: Verdict[]
  costs: (TokenCosts | undefined)[]
  /** Marks for the seats in `best`; all zero between choices. */
  isOrdered: Uint8Array
  readonly best: Int32Array
}

/** Filters, scores and orders the endpoints of one service. O(endpoints): a short list of the best is kept, nothing is sorted. */
export function createChooser<E extends Endpoint>(state: ChooseState): (place: Place<E>, ask: Ask) => Choice<E> {
  const scratch: Scratch = {
    seats: 0,
    terms: createTerms(0),
    verdicts: [],
    costs: [],
    isOrdered: new Uint8Array(0),
    best: new Int32Array(ORDERED),
  }
  const makeRoom = (seats: number): void => {
    if (seats <= scratch.seats) return
    scratch.seats = seats
    scratch.terms = createTerms(seats)
    scratch.isOrdered = new Uint8Array(seats)
  }

  return (place, ask) => {
    const { seats } = place
    makeRoom(seats.length)
    const { verdicts, costs, terms, best } = scratch
    const eligible = terms.picked
    let count = 0
    let areAllEligible = true
    for (let i = 0; i < seats.length; i++) {
      const seat = seats[i] as Seat<E>
      costs[i] = seat.endpoint.costsAt(ask.acceptedAtMs, ask.slaClass, ask.inputTokens)
      const verdict = verdictOf(seat, costs[i], ask, state)
      verdicts[i] = verdict
      if (verdict !== 'eligible') areAllEligible = false
      else if (!wasTried(seat, ask)) eligible[count++] = i
    }
    if (areAllEligible && place.isRanked && ask.tried.length === 0) return (place.whole ??= wholeChoice(place))
    if (count === 0) return lastResort(place, ask, verdicts)
    if (count === 1 || place.isRanked) return unweighed(place, verdicts, eligible, count)

    const lane = place.lanes[ask.slaClass]
    const key = state.affinity.hash(ask.tenant, ask.prefixKey)
    const warmSlot = state.affinity.warmSlot(key, ask.nowMs)
    terms.slots = place.slots
    terms.count = count
    score(terms, seats, costs, ask, lane, warmSlot, state)
    const isTrusted = lane?.calibration.isTrusted ?? true
    if (!isTrusted) rankByPeak(seats, state, terms, eligible, count)
    else if (ask.strategy === 'effect') rankByEffect(terms, ask, state)
    const ordered = pickBest(terms, eligible, count, best)
    const first = !isTrusted
      ? powerOfTwo(terms, eligible, count, best, state)
      : (explored(seats, terms, eligible, count, best, ask.nowMs, state) ??
        tieBreak(seats, terms, best, ordered, key, state))
    putFirst(best, ordered, first)
    if (lane) learnPrice(lane, terms.price[first] as number)
    return weighed(place, scratch, count, ordered, areAllEligible)
  }
}

function wasTried(seat: Seat<Endpoint>, { tried }: Ask): boolean {
  for (const endpoint of tried) if (endpoint === seat.endpoint || keyOf(endpoint) === keyOf(seat.endpoint)) return true
  return false
}

/** Nobody is eligible: those whose breaker is open are used all the same, since refusing for certain is worse than probably failing. */
function lastResort<E extends Endpoint>(place: Place<E>, ask: Ask, verdicts: readonly Verdict[]): Choice<E> {
  const order = place.seats
    .filter((seat, i) => verdicts[i] === 'breaker_open' && !wasTried(seat, ask))
    .map(({ endpoint }) => endpoint)
  return {
    order,
    candidates: place.seats.map((seat, i) => candidateOf(seat, verdicts[i] as Verdict)),
    missProbability: undefined,
  }
}

function wholeChoice<E extends Endpoint>({ seats, candidates }: Place<E>): Choice<E> {
  return Object.freeze({
    order: Object.freeze(seats.map(({ endpoint }) => endpoint)),
    candidates,
    missProbability: undefined,
  })
}

function unweighed<E extends Endpoint>(
  { seats }: Place<E>,
  verdicts: readonly Verdict[],
  eligible: Int32Array,
  count: number,
): Choice<E> {
  const order: E[] = []
  for (let k = 0; k < count; k++) order.push((seats[eligible[k] as number] as Seat<E>).endpoint)
  return {
    order,
    candidates: seats.map((seat, i) => candidateOf(seat, verdicts[i] as Verdict)),
    missProbability: undefined,
  }
}

function candidatesOf<E extends Endpoint>(
  { seats, candidates }: Place<E>,
  verdicts: readonly Verdict[],
  areAllEligible: boolean,
): Candidate[] {
  return areAllEligible ? candidates.slice() : seats.map((seat, i) => candidateOf(seat, verdicts[i] as Verdict))
}

function weighed<E extends Endpoint>(
  place: Place<E>,
  { terms, verdicts, best, isOrdered }: Scratch,
  count: number,
  ordered: number,
  areAllEligible: boolean,
): Choice<E> {
  const { seats } = place
  const order: E[] = []
  const candidates = candidatesOf(place, verdicts, areAllEligible)
  for (let k = 0; k < ordered; k++) {
    const i = best[k] as number
    order.push((seats[i] as Seat<E>).endpoint)
    candidates[i] = explain(seats[i] as Seat<E>, terms, i)
    isOrdered[i] = 1
  }
  for (let k = 0; k < count; k++) {
    const i = terms.picked[k] as number
    if (isOrdered[i] === 0) order.push((seats[i] as Seat<E>).endpoint)
    isOrdered[i] = 0
  }
  return { order, candidates, missProbability: terms.missProbability[best[0] as number] }
}

function explain({ endpoint }: Seat<Endpoint>, terms: Terms, i: number): Candidate {
  return {
    supplier: endpoint.supplierId,
    model: endpoint.model,
    verdict: 'eligible',
    score: {
      price: Math.round(terms.price[i] as number),
      commitment: Math.round(terms.commitment[i] as number),
      miss: Math.round(terms.miss[i] as number),
      missProbability: Math.round((terms.missProbability[i] as number) * 1e6) / 1e6,
      network: Math.round(terms.network[i] as number),
      affinity: Math.round(terms.affinity[i] as number),
      total: Math.round(terms.total[i] as number),
    },
  }
}

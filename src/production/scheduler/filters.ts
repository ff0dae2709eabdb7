import type { Candidate } from '#contract'
import type { Ask } from './ask.ts'
import type { Breakers } from './breaker.ts'
import { isCapReached } from './commitments.ts'
import type { Endpoint, TokenCosts } from './endpoint.ts'
import type { Limits } from './limit.ts'
import type { Seat } from './place.ts'
import type { RateWindows } from './rate-window.ts'
import type { SharedState } from './shared-table.ts'
import { isInForce } from './span.ts'

const ANY = Number.POSITIVE_INFINITY

export type Verdict = Candidate['verdict']

export interface FilterState {
  readonly shared: SharedState
  readonly breakers: Breakers
  readonly limits: Limits
  readonly rates: RateWindows
}

/**
 * The hard filters C0 (scheduling reference §2.1), cheapest first. What the law, the contracts and the request demand comes before
 * how the endpoint fares, so that a breaker never hides that somebody may not serve at all.
 */
export function verdictOf(seat: Seat<Endpoint>, costs: TokenCosts | undefined, ask: Ask, state: FilterState): Verdict {
  const { endpoint } = seat
  if (!endpoint.hasCredentials) return 'no_credentials'
  if (!costs) return 'no_price'
  if (endpoint.isDraining) return 'draining'
  if (!seat.isAllowedHere || !isAllowed(endpoint.region, ask.regions)) return 'region'
  const lotted = endpoint.needsLot ? lotTokens(seat, ask.nowMs) : undefined
  if (lotted === 0) return 'no_lot'
  if (endpoint.contextTokens !== undefined && ask.inputTokens > endpoint.contextTokens) return 'context'
  if (endpoint.features && lacks(endpoint.features, ask.needs)) return 'feature'
  const tokens = ask.inputTokens + ask.expectedOutputTokens
  for (const commitment of seat.commitments) if (isCapReached(commitment, tokens, ask.nowMs)) return 'cap_reached'
  if (lotted !== undefined && !state.rates.hasRoom(seat.slot, { requests: ANY, tokens: lotted }, tokens, ask.nowMs))
    return 'at_capacity'
  return healthOfSeat(seat, tokens, ask.nowMs, state)
}

function healthOfSeat(
  seat: Seat<Endpoint>,
  tokens: number,
  nowMs: number,
  { shared, breakers, limits, rates }: FilterState,
): Verdict {
  const { slot } = seat
  if (!shared.isCalm(slot, nowMs)) {
    if (breakers.isMisconfigured(slot, nowMs)) return 'no_credentials'
    if (limits.busyUntilMs(slot) > nowMs) return 'at_capacity'
    if (!breakers.allows(slot, nowMs)) return 'breaker_open'
  }
  if (!limits.hasRoom(slot, seat.most)) return 'at_capacity'
  if (seat.perMinute && !rates.hasRoom(seat.supplierSlot, seat.perMinute, tokens, nowMs)) return 'at_capacity'
  return 'eligible'
}

/** Data that must stay somewhere goes to nobody whose place is not known. */
export function isAllowed(region: string | undefined, allowed: readonly string[] | undefined): boolean {
  return allowed === undefined || (region !== undefined && allowed.includes(region))
}

function lacks(features: ReadonlySet<string>, needs: readonly string[]): boolean {
  for (const need of needs) if (!features.has(need)) return true
  return false
}

/** What the lots in force allow per minute together, this gateway's part; 0: none is. */
function lotTokens({ lots, gateways }: Seat<Endpoint>, nowMs: number): number {
  let perMinute = 0
  for (const lot of lots)
    if (isInForce(lot, nowMs)) perMinute += (lot.inputTokensPerMinute + lot.outputTokensPerMinute) / gateways
  return perMinute
}

import type { Candidate } from '#contract'
import type { TokenCounts } from '#kernel'
import { RANKS } from '#admission'
import type { Slot } from '#admission'
import type { Flight } from './flight.ts'
import type { Gateway } from './gateway.ts'
import type { SupplierLine } from './supplier-line.ts'

/** Most requests never wait. */
export const NOWHERE: readonly Slot[] = []

const ABLE: ReadonlySet<Candidate['verdict']> = new Set(['eligible', 'at_capacity', 'breaker_open'])

/** The request is over: whatever its place was, somebody else has it now, and its tenant is charged what it used. */
export function endTurn(flight: Flight, gateway: Gateway, tokens: TokenCounts): void {
  const { turn } = flight
  if (!turn) return
  unlist(flight, gateway)
  if (turn.state === 'waiting') gateway.flow.leave(turn, performance.now())
  else gateway.flow.end(turn, tokens)
}

/** Lets all workers know that this request waits for its suppliers. */
export function list(flight: Flight, gateway: Gateway): void {
  unlist(flight, gateway)
  flight.waitsFor = suppliersOf(flight).map(({ slot }) => slot)
  for (const slot of flight.waitsFor) gateway.waits.add(slot, RANKS[flight.tier], 1)
}

/** Whoever might serve it when they have room, those included that are full at the moment. */
export function suppliersOf({ service, candidates }: Flight): readonly SupplierLine[] {
  const able = candidates.filter(({ verdict }) => ABLE.has(verdict))
  const lines = service.lines.filter((line) =>
    able.some(({ supplier, model }) => supplier === line.supplierId && model === line.model),
  )
  return [...new Set(lines.map(({ supplier }) => supplier))]
}

export function unlist(flight: Flight, gateway: Gateway): void {
  if (flight.waitsFor === NOWHERE) return
  for (const slot of flight.waitsFor) gateway.waits.add(slot, RANKS[flight.tier], -1)
  flight.waitsFor = NOWHERE
}

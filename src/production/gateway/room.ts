import { NO_CEILING, RANKS, roomUnder } from '#admission'
import type { Line } from './directory.ts'
import type { Flight } from './flight.ts'
import type { Gateway } from './gateway.ts'

/** How many requests of everybody may run at the line's supplier for this one to join them: its class's part of what the contract allows. */
export function roomAt({ tier }: Flight, { ceilings, supplier }: Line): number {
  return roomUnder(ceilings[RANKS[tier]] ?? NO_CEILING, supplier.maxConcurrency)
}

/** Whether this request may go there now: no higher class waits for it, and its class's part of what the line has shown to bear is not used up. */
export function hasRoom(flight: Flight, { waits, scheduler }: Gateway, line: Line): boolean {
  const rank = RANKS[flight.tier]
  if (waits.yields(line.supplier.slot, rank)) return false
  const ceiling = line.ceilings[rank] ?? NO_CEILING
  // Without a holdback the scheduler itself keeps the learned limit.
  if (ceiling.part >= 1) return true
  const load = scheduler.load(line)
  return load === undefined || load.inFlight < roomUnder(ceiling, load.limit)
}

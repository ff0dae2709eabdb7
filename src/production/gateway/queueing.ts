import type { Problem } from '#kernel'
import { CLASS_POLICIES } from '#admission'
import { askOf, inputEstimate } from './ask.ts'
import { endAttempt } from './attempt.ts'
import { choose, dispatch, isFull } from './dispatch.ts'
import { dropFlight, finish } from './finish.ts'
import type { Line } from './directory.ts'
import type { Flight } from './flight.ts'
import type { Gateway } from './gateway.ts'
import { supplierBusy } from './problems.ts'
import { hasRoom, roomAt } from './room.ts'
import { list, suppliersOf, unlist } from './turn.ts'

/** Of its time to the first token, a request may spend this much waiting: the rest belongs to the supplier (scheduling.md §2.3). */
const WAITING_SHARE = 0.5

/** A request that is paid for: it is served at once where a supplier has room and nobody goes first, else it waits its turn. */
export function enter(flight: Flight, gateway: Gateway): void {
  const { service, tier, caller, request } = flight
  const budgetMs = service.ttftBudgetsMs[tier]
  const turn = gateway.flow.turn(
    {
      service: service.id,
      tier,
      tenant: caller.tenant,
      weight: caller.weight,
      inputTokens: inputEstimate(flight),
      bytes: request.body.length,
      deadlineMs: flight.exchange.acceptedAt + budgetMs,
      patienceMs: budgetMs * WAITING_SHARE,
    },
    flight,
  )
  flight.turn = turn
  if (gateway.flow.isBehind(service.id, tier)) {
    choose(flight, gateway)
    if (flight.order.length > 0 || isFull(flight)) {
      wait(flight, gateway)
      return
    }
  }
  gateway.flow.start(turn, performance.now())
  if (!dispatch(flight, gateway)) wait(flight, gateway)
}

function wait(flight: Flight, gateway: Gateway): void {
  const { turn } = flight
  if (!turn) return
  // Suppliers that told us when to come back are not free before.
  const { waitMs } = gateway.scheduler.outlook(askOf(flight, gateway, []))
  const set = suppliersOf(flight)
    .map(({ id }) => id)
    .join()
  const { refused, dropped } = gateway.flow.wait(turn, set, performance.now(), waitMs)
  if (dropped) turnAway(dropped.work, gateway)
  if (refused) {
    turnAway(flight, gateway, refused.retryAfterMs)
    return
  }
  list(flight, gateway)
  displaceFor(flight, gateway)
  gateway.waits.onRelease(() => pump(gateway))
  // Room that came back before all workers knew of this one is not announced again.
  if (flight.order.some((line) => isFree(flight, gateway, line))) pump(gateway)
}

/**
 * Flex and batch fill valleys: while this one waits, the newest of them that has brought nothing yet loses its place and waits again.
 * Nobody loses it twice, so that what suppliers have read for nothing stays bounded.
 */
function displaceFor(flight: Flight, gateway: Gateway): void {
  if (!gateway.flow.hasYielding(flight.tier)) return
  let newest: Flight | undefined
  for (const other of gateway.flights.snapshot())
    if (yieldsTo(flight, other) && (!newest || startOf(other) > startOf(newest))) newest = other
  if (!newest) return
  newest.running?.call?.abort()
  newest.quietDeadline = Number.POSITIVE_INFINITY
  endAttempt(newest, gateway, newest.running, 'displaced')
  wait(newest, gateway)
}

function yieldsTo(flight: Flight, other: Flight): boolean {
  const { running } = other
  return (
    running !== undefined &&
    other.rival === undefined &&
    !other.hasBegun &&
    !other.clientHasLeft &&
    other.answer.length === 0 &&
    CLASS_POLICIES[other.tier].yields &&
    flight.waitsFor.includes(running.line.supplier.slot) &&
    !other.attempts.some(({ outcome }) => outcome === 'displaced')
  )
}

function startOf({ running, exchange }: Flight): number {
  return exchange.acceptedAt + (running?.startMs ?? 0)
}

/** Room may have come back: whoever is next and finds a supplier goes. */
function pump(gateway: Gateway): void {
  gateway.flow.pump(performance.now(), (flight) => {
    if (!dispatch(flight, gateway)) return false
    unlist(flight, gateway)
    return true
  })
  if (gateway.flow.size > 0) gateway.waits.onRelease(() => pump(gateway))
}

/** Called by the sweep: turns away whose patience has ended. */
export function sweepQueue(gateway: Gateway, nowMs: number): void {
  for (const { work } of gateway.flow.expire(nowMs)) turnAway(work, gateway)
  if (gateway.flow.size > 0) pump(gateway)
}

function isFree(flight: Flight, gateway: Gateway, line: Line): boolean {
  return gateway.limits.running(line.supplier.slot) < roomAt(flight, line) && hasRoom(flight, gateway, line)
}

function turnAway(flight: Flight, gateway: Gateway, retryAfterMs?: number): void {
  const { service, tier } = flight
  const problem: Problem = supplierBusy({
    retryAfterMs: retryAfterMs ?? gateway.flow.retryAfterMs(service.id, tier, performance.now()),
  })
  gateway.refused(problem.type.code)
  // One that had lost its place at a supplier is on record.
  if (flight.lastLine) finish(flight, gateway, 'failed', problem)
  else dropFlight(flight, gateway, problem)
}

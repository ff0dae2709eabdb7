import { DAY_MS, addMonths, chinaDate, chinaMidnightMs, dateOfDay, dayNumber } from '#kernel'
import type { LatenessTerms } from '#contract'

/** Time that the buyer caused and that does not count; `toMs` null: it still goes on. */
export interface Stop {
  readonly fromMs: number
  readonly toMs: number | null
}

/**
 * The first moment that is late: midnight in China after `days` calendar days from the day of the order, so day 30 counts to its last
 * second. What the buyer stopped before that moment moves it by as long; overlapping stops count once.
 */
export function dueMs(orderedAtMs: number, days: number, stops: readonly Stop[], nowMs: number): number {
  let due = chinaMidnightMs(dateOfDay(dayNumber(chinaDate(orderedAtMs)) + days + 1))
  let coveredToMs = orderedAtMs
  for (const { fromMs, toMs } of stops.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const from = Math.max(fromMs, coveredToMs)
    if (from >= due) break
    const to = toMs ?? Math.max(nowMs, from)
    if (to <= from) continue
    due += to - from
    coveredToMs = to
  }
  return due
}

/** Calendar months from the day of the order; a month that is too short gives its last day. */
export const serviceEndMs = (orderedAtMs: number, months: number): number =>
  addMonths(chinaMidnightMs(chinaDate(orderedAtMs)), months)

export interface Delivered {
  readonly units: number
  readonly atMs: number
}

/** Days begun after the due moment until everything was delivered (or now). */
export function lateDays(due: number, endMs: number): number {
  return endMs < due ? 0 : Math.floor((endMs - due) / DAY_MS) + 1
}

/** What lateness costs: for each day begun, its part of what was not delivered when that day began; capped. Pico, without tax. */
export function latenessPico(
  order: { readonly units: number; readonly amountPico: bigint; readonly dueMs: number },
  deliveries: readonly Delivered[],
  { dayPpm, capPpm }: LatenessTerms,
  nowMs: number,
): bigint {
  const steps = deliveries.toSorted((a, b) => a.atMs - b.atMs)
  let unitDays = 0n
  let left = order.units
  let fromMs = order.dueMs
  for (const { units, atMs } of [...steps, { units: 0, atMs: nowMs }]) {
    if (atMs >= fromMs && left > 0) {
      // A day is owed for what was missing when it began, so days are counted between beginnings.
      const days = lateDays(order.dueMs, atMs) - lateDays(order.dueMs, fromMs - 1)
      unitDays += BigInt(left) * BigInt(days)
      fromMs = order.dueMs + lateDays(order.dueMs, atMs) * DAY_MS
    }
    left -= units
  }
  const penalty = (order.amountPico * unitDays * BigInt(dayPpm)) / (BigInt(order.units) * 1_000_000n)
  const cap = (order.amountPico * BigInt(capPpm)) / 1_000_000n
  return penalty < cap ? penalty : cap
}

import type { HolidayCalendar } from '#contract'
import { DAY_MS } from '#kernel'

/**
 * The days whose kind another version of a calendar would change although they have begun somewhere on Earth, or begin before every
 * gateway can have heard of it.
 */
export function settledDaysChanged(before: HolidayCalendar, after: HolidayCalendar, nowMs: number): readonly string[] {
  const kinds = ({ holidays, workedWeekendDays }: HolidayCalendar) =>
    new Map([
      ...holidays.map((day) => [day, 'holiday'] as const),
      ...workedWeekendDays.map((day) => [day, 'worked'] as const),
    ])
  const [was, willBe] = [kinds(before), kinds(after)]
  const first = firstFreeDay(nowMs)
  return [...new Set([...was.keys(), ...willBe.keys()])]
    .filter((day) => day < first && was.get(day) !== willBe.get(day))
    .toSorted()
}

/** Clocks are at most 14 hours ahead of UTC; a gateway that hears nothing goes on for ten minutes with what it knows. */
const FURTHEST_AHEAD_MS = 14 * 3_600_000
const CALENDAR_NOTICE_MS = 15 * 60_000

export function firstFreeDay(nowMs: number): string {
  return new Date(nowMs + FURTHEST_AHEAD_MS + CALENDAR_NOTICE_MS + DAY_MS).toISOString().slice(0, 10)
}

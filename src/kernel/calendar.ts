/**
 * Days, months and peak hours. The books are kept in China, whose clocks are at +08:00 all year round since 1991, so plain
 * arithmetic is exact and no time zone database is asked.
 */

export const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const CHINA_OFFSET_MS = 8 * 3_600_000

/** A day of the calendar, `2026-10-01`. */
export type DateText = string

/** Whole days since 1970-01-01. Throws `RangeError` where there is no such day. */
export function dayNumber(date: DateText): number {
  const atMs = /^\d{4}-\d{2}-\d{2}$/.test(date) ? Date.parse(`${date}T00:00:00Z`) : Number.NaN
  const day = atMs / DAY_MS
  // Some engines read the 31st of a short month as the 1st of the next.
  if (Number.isNaN(day) || dateOfDay(day) !== date)
    throw new RangeError(`not a day of the calendar: ${date.slice(0, 40)}`)
  return day
}

export function dateOfDay(day: number): DateText {
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}

/** The day in China at an instant. */
export function chinaDate(atMs: number): DateText {
  return dateOfDay(Math.floor((atMs + CHINA_OFFSET_MS) / DAY_MS))
}

/** When a day begins in China. */
export function chinaMidnightMs(date: DateText): number {
  return dayNumber(date) * DAY_MS - CHINA_OFFSET_MS
}

/**
 * The same time of day so many calendar months later in China; where that month is too short, on its last day. Count the k-th
 * renewal from the first beginning, not from the one before: 31 January, 28 February, 31 March.
 */
export function addMonths(atMs: number, months: number): number {
  if (!Number.isInteger(months)) throw new RangeError(`not a number of whole months: ${months}`)
  const local = new Date(atMs + CHINA_OFFSET_MS)
  const year = local.getUTCFullYear()
  const month = local.getUTCMonth() + months
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  const midnightMs = Date.UTC(year, month, Math.min(local.getUTCDate(), lastDay))
  return midnightMs + modulo(atMs + CHINA_OFFSET_MS, DAY_MS) - CHINA_OFFSET_MS
}

/** A span that a bucket is refilled by. `key` names it in the bucket's name; it lasts from `fromMs` until just before `toMs`. */
export interface Period {
  readonly key: string
  readonly fromMs: number
  readonly toMs: number
}

export type PeriodKind = 'minute' | 'day' | 'month'

/** The period of an instant: the clock's minute, or the day or month in China. */
export function periodAt(kind: PeriodKind, atMs: number): Period {
  if (kind === 'minute') return minute(Math.floor(atMs / MINUTE_MS))
  const date = chinaDate(atMs)
  return kind === 'day' ? dayOf(date) : monthOf(date.slice(0, 7))
}

/** The period that a key names: `29342880`, `2026-11-25` or `2026-11`; undefined where it is not written as `periodAt` writes it. */
export function periodOfKey(kind: PeriodKind, key: string): Period | undefined {
  if (kind === 'minute') return /^(?:0|[1-9]\d{0,9})$/.test(key) ? minute(Number(key)) : undefined
  if (!(kind === 'day' ? /^\d{4}-\d{2}-\d{2}$/ : /^\d{4}-\d{2}$/).test(key)) return undefined
  try {
    return kind === 'day' ? dayOf(key) : monthOf(key)
  } catch {
    return undefined
  }
}

function minute(number: number): Period {
  return { key: `${number}`, fromMs: number * MINUTE_MS, toMs: (number + 1) * MINUTE_MS }
}

function dayOf(date: DateText): Period {
  const fromMs = chinaMidnightMs(date)
  return { key: date, fromMs, toMs: fromMs + DAY_MS }
}

function monthOf(key: string): Period {
  const fromMs = chinaMidnightMs(`${key}-01`)
  return { key, fromMs, toMs: addMonths(fromMs, 1) }
}

/** A holiday calendar in the form in which it is asked: days by their number. */
export interface Holidays {
  readonly holidays: ReadonlySet<number>
  readonly workedWeekendDays: ReadonlySet<number>
}

export type Calendars = ReadonlyMap<string, Holidays>

/** Reads published calendars once, so that pricing a request parses no date. */
export function parseCalendars(
  calendars: readonly {
    readonly id: string
    readonly holidays: readonly DateText[]
    readonly workedWeekendDays: readonly DateText[]
  }[],
): Calendars {
  return new Map(
    calendars.map(({ id, holidays, workedWeekendDays }) => [
      id,
      { holidays: new Set(holidays.map(dayNumber)), workedWeekendDays: new Set(workedWeekendDays.map(dayNumber)) },
    ]),
  )
}

export interface PeakTimes {
  /** Null: no day is a holiday. */
  readonly calendar: string | null
  readonly utcOffsetMinutes: number
  readonly days: 'weekdays' | 'workdays' | 'every_day'
  readonly hours: readonly { readonly fromMinute: number; readonly toMinute: number }[]
}

/** Whether an instant is in peak hours. `holidays` is the calendar that they name. */
export function isPeak(peak: PeakTimes, atMs: number, holidays: Holidays | null): boolean {
  const localMs = atMs + peak.utcOffsetMinutes * MINUTE_MS
  const minuteOfDay = Math.floor(modulo(localMs, DAY_MS) / MINUTE_MS)
  if (!peak.hours.some(({ fromMinute, toMinute }) => fromMinute <= minuteOfDay && minuteOfDay < toMinute)) return false
  if (peak.days === 'every_day') return true
  const day = Math.floor(localMs / DAY_MS)
  if (isWeekend(day)) return peak.days === 'workdays' && holidays?.workedWeekendDays.has(day) === true
  return holidays?.holidays.has(day) !== true
}

/** 1970-01-01 was a Thursday. */
export function isWeekend(day: number): boolean {
  const weekday = modulo(day + 4, 7)
  return weekday === 0 || weekday === 6
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor
}

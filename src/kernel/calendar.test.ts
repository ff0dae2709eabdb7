import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  addMonths,
  chinaDate,
  chinaMidnightMs,
  dateOfDay,
  dayNumber,
  isPeak,
  isWeekend,
  parseCalendars,
  periodAt,
  periodOfKey,
} from './calendar.ts'
import type { PeakTimes } from './calendar.ts'

/** China had summer time until 1991; from then on the clocks are at +08:00. */
const anyInstant = fc.integer({ min: Date.UTC(1992, 0, 1), max: Date.UTC(2199, 0, 1) })
const at = (text: string) => Date.parse(`${text}+08:00`)

const inShanghai = new Intl.DateTimeFormat('en-CA', {
  timeZone: 'Asia/Shanghai',
  hourCycle: 'h23',
  weekday: 'short',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
})

function local(atMs: number) {
  const parts = new Map(inShanghai.formatToParts(atMs).map(({ type, value }) => [type, value]))
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? ''
  return {
    date: `${part('year')}-${part('month')}-${part('day')}`,
    weekday: part('weekday'),
    minute: Number(part('hour')) * 60 + Number(part('minute')),
  }
}

test('days, weekends and minutes are those of the clocks in Shanghai', () => {
  const allDay: PeakTimes = { calendar: null, utcOffsetMinutes: 480, days: 'every_day', hours: [] }
  fc.assert(
    fc.property(anyInstant, (atMs) => {
      const { date, weekday, minute } = local(atMs)
      expect(chinaDate(atMs)).toBe(date)
      expect(isWeekend(dayNumber(date))).toBe(weekday === 'Sat' || weekday === 'Sun')
      expect(isPeak({ ...allDay, hours: [{ fromMinute: minute, toMinute: minute + 1 }] }, atMs, null)).toBe(true)
      expect(isPeak({ ...allDay, hours: [{ fromMinute: 0, toMinute: minute }] }, atMs, null)).toBe(false)
    }),
  )
})

test('a day begins at midnight in China, and its number and its text name each other', () => {
  fc.assert(
    fc.property(fc.integer({ min: -10_000, max: 80_000 }), (day) => {
      expect(dayNumber(dateOfDay(day))).toBe(day)
      expect(chinaDate(chinaMidnightMs(dateOfDay(day)))).toBe(dateOfDay(day))
      expect(chinaDate(chinaMidnightMs(dateOfDay(day)) - 1)).toBe(dateOfDay(day - 1))
    }),
  )
  for (const wrong of ['2026-02-29', '2026-13-01', '2026-04-31', '2026-1-1', 'today', ''])
    expect(() => dayNumber(wrong)).toThrow(RangeError)
})

test('months are added on the calendar, and a month that is too short gives its last day', () => {
  expect(addMonths(at('2026-01-31T10:00'), 1)).toBe(at('2026-02-28T10:00'))
  expect(addMonths(at('2027-12-31T23:59'), 2)).toBe(at('2028-02-29T23:59'))
  expect(addMonths(at('2026-03-31T00:00'), -1)).toBe(at('2026-02-28T00:00'))
  expect(addMonths(at('2026-11-01T00:00'), 2)).toBe(at('2027-01-01T00:00'))
  expect(() => addMonths(0, 0.5)).toThrow(RangeError)
})

// domain.md §8, vector 2: an order's term of 60 calendar months and its delivery within 30 days
test('golden: a term of 60 calendar months ends on the same day five years later, from a leap day on the 28th', () => {
  expect(addMonths(at('2026-06-15T09:30'), 60)).toBe(at('2031-06-15T09:30'))
  expect(addMonths(at('2028-02-29T09:30'), 60)).toBe(at('2033-02-28T09:30'))
  expect(addMonths(at('2023-02-28T09:30'), 60)).toBe(at('2028-02-28T09:30'))
  expect(dateOfDay(dayNumber('2026-06-15') + 30)).toBe('2026-07-15')
})

test('adding months never reaches another month, and whole years come back to the same day', () => {
  fc.assert(
    fc.property(anyInstant, fc.integer({ min: 0, max: 600 }), (atMs, months) => {
      const from = local(atMs).date
      const to = local(addMonths(atMs, months)).date
      const number = (date: string) => Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7))
      expect(number(to)).toBe(number(from) + months)
      const isClamped = dateOfDay(dayNumber(to) + 1).endsWith('-01')
      expect(to.slice(8) === from.slice(8) || (isClamped && to.slice(8) < from.slice(8))).toBe(true)
      expect(local(addMonths(atMs, months)).minute).toBe(local(atMs).minute)
    }),
  )
})

test('periods follow one another without gap or overlap, and their key says which they are', () => {
  fc.assert(
    fc.property(anyInstant, fc.constantFrom('minute', 'day', 'month'), (atMs, kind) => {
      const period = periodAt(kind, atMs)
      expect(period.fromMs <= atMs && atMs < period.toMs).toBe(true)
      expect(periodAt(kind, period.fromMs)).toEqual(period)
      expect(periodAt(kind, period.toMs - 1)).toEqual(period)
      expect(periodAt(kind, period.toMs).fromMs).toBe(period.toMs)
      expect(periodOfKey(kind, period.key)).toEqual(period)
    }),
  )
  expect(periodAt('day', at('2026-11-25T00:00')).key).toBe('2026-11-25')
  expect(periodAt('month', at('2026-11-30T23:59')).key).toBe('2026-11')
  expect(periodAt('minute', 1_760_000_000_123).key).toBe('29333333')
})

test('a key that names no period is none', () => {
  for (const key of ['2026-11-31', '2026-11', '26-11-01', '2026-11-25 ', ''])
    expect(periodOfKey('day', key)).toBeUndefined()
  for (const key of ['2026-13', '2026-00', '2026-11-01']) expect(periodOfKey('month', key)).toBeUndefined()
  for (const key of ['01', '-1', '1.5', '1e3', '99999999999']) expect(periodOfKey('minute', key)).toBeUndefined()
})

// domain.md §8, vector 9: peak is Monday to Friday without public holidays, 09–12 and 14–18 in Beijing
test('golden: peak and off-peak hours with the holidays of China', () => {
  const peak: PeakTimes = {
    calendar: 'cn',
    utcOffsetMinutes: 480,
    days: 'weekdays',
    hours: [
      { fromMinute: 540, toMinute: 720 },
      { fromMinute: 840, toMinute: 1080 },
    ],
  }
  const cn =
    parseCalendars([{ id: 'cn', holidays: ['2026-10-01'], workedWeekendDays: ['2026-10-10'] }]).get('cn') ?? null
  const isPeakAt = (text: string, times = peak) => isPeak(times, at(text), cn)
  expect(isPeakAt('2026-11-26T09:30'), 'Thursday morning').toBe(true)
  expect(isPeakAt('2026-11-26T12:30'), 'Thursday noon').toBe(false)
  expect(isPeakAt('2026-11-28T10:00'), 'Saturday').toBe(false)
  expect(isPeakAt('2026-10-01T10:00'), 'a Thursday that is a public holiday').toBe(false)
  expect(isPeakAt('2026-10-10T10:00'), 'a worked Saturday is no weekday').toBe(false)
  expect(isPeakAt('2026-10-10T10:00', { ...peak, days: 'workdays' })).toBe(true)
  expect(isPeakAt('2026-10-01T10:00', { ...peak, days: 'every_day' })).toBe(true)
  for (const [from, to] of [
    ['08:59', '09:00'],
    ['13:59', '14:00'],
  ] as const) {
    expect(isPeakAt(`2026-11-26T${from}:59.999`)).toBe(false)
    expect(isPeakAt(`2026-11-26T${to}:00`)).toBe(true)
  }
  for (const end of ['12:00', '18:00']) expect(isPeakAt(`2026-11-26T${end}:00`)).toBe(false)
})

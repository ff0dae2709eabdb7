import * as z from 'zod'
import { dateOfDay, dayNumber, isWeekend } from '#kernel'
import { Slug } from './scalars.ts'

const MOST_DAYS = 10_000

function realDay(text: string): number | undefined {
  try {
    return dayNumber(text)
  } catch {
    return undefined
  }
}

const Day = z
  .string('write a day such as 2026-10-01')
  .refine((text) => realDay(text) !== undefined, { message: 'not a day such as 2026-10-01' })

/** One day, or a span with both its ends: `2026-10-01..2026-10-07`. */
const Days = z
  .string('write a day such as 2026-10-01 or days such as 2026-10-01..2026-10-07')
  .transform((text, context) => {
    const [first = '', last = first, ...rest] = text.split('..')
    const from = realDay(first)
    const to = realDay(last)
    const isSpan = from !== undefined && to !== undefined && from <= to && to - from < 366 && rest.length === 0
    if (isSpan) return Array.from({ length: to - from + 1 }, (_, index) => dateOfDay(from + index))
    context.addIssue({ code: 'custom', message: 'not a day such as 2026-10-01 or days such as 2026-10-01..2026-10-07' })
    return z.NEVER
  })

const ManyDays = z.array(Days).max(MOST_DAYS).default([])

/**
 * Public holidays and the weekend days that are worked for them, as published. What is not covered yet is added by a longer
 * `coversTo`; what a day was never changes once it has begun.
 */
export const FactoryCalendar = z
  .strictObject({
    id: Slug,
    name: z.string().min(1).max(128).optional(),
    /** Where it was published. */
    source: z.string().max(512).default(''),
    coversFrom: Day,
    coversTo: Day,
    holidays: ManyDays,
    workedWeekendDays: ManyDays,
  })
  .superRefine(({ coversFrom, coversTo, holidays, workedWeekendDays }, context) => {
    const say = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message })
    if (coversTo < coversFrom) say(['coversTo'], 'ends before it begins')
    const seen = new Set<string>()
    for (const [list, entries] of Object.entries({ holidays, workedWeekendDays }))
      for (const [index, days] of entries.entries())
        for (const day of days) {
          const flaw = flawOf(day, list === 'workedWeekendDays', seen.has(day), coversFrom, coversTo)
          if (flaw !== null) say([list, index], `${day} ${flaw}`)
          seen.add(day)
        }
  })
export type FactoryCalendar = z.infer<typeof FactoryCalendar>

function flawOf(day: string, isWorked: boolean, isTwice: boolean, coversFrom: string, coversTo: string): string | null {
  if (day < coversFrom || day > coversTo) return 'is outside coversFrom to coversTo'
  if (isTwice) return 'is named twice'
  return isWorked && !isWeekend(dayNumber(day)) ? 'is no Saturday or Sunday' : null
}

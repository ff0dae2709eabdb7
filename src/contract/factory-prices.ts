import * as z from 'zod'
import { isShadowed } from '#kernel'
import { Multiplier, PricePerMillion, UnitsPerToken } from './factory-decimals.ts'
import { Instant } from './instant.ts'
import { ServiceName, Slug } from './scalars.ts'
import { ServiceTier } from './snapshot.ts'

/** What things cost in `factory.yaml`: price sheets with their variants, and conversion tables. */

/**
 * A value for each of the disjoint token classes. What is left out is filled in when the file is applied and never counts for nothing:
 * cacheWrite and cacheRead as uncachedInput, reasoning as output.
 */
function perClass(Value: typeof PricePerMillion) {
  return z
    .strictObject({
      uncachedInput: Value,
      cacheWrite: Value.optional(),
      cacheRead: Value.optional(),
      output: Value,
      reasoning: Value.optional(),
    })
    .transform(({ uncachedInput, cacheWrite, cacheRead, output, reasoning }) => ({
      uncachedInput,
      cacheWrite: cacheWrite ?? uncachedInput,
      cacheRead: cacheRead ?? uncachedInput,
      output,
      reasoning: reasoning ?? output,
    }))
}

const PerMillion = perClass(PricePerMillion)
export type PerMillion = z.infer<typeof PerMillion>

/** Names a sheet or a version in usage records for ever; made from what it is of and its start where left out. */
export const DatedId = z
  .string()
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9._:/@-]{0,198}[A-Za-z0-9])?$/, 'use letters, digits and . _ : / @ - ; at most 200')

const minutesOf = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3))

/** Hours of the local day, `09:00-12:00`: the beginning belongs to them, the end does not. */
const Hours = z
  .string('write hours such as 09:00-12:00')
  .regex(/^(?:[01]\d|2[0-3]):[0-5]\d-(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/, 'write hours such as 09:00-12:00')
  .transform((text) => ({ fromMinute: minutesOf(text.slice(0, 5)), toMinute: minutesOf(text.slice(6)) }))
  .refine(({ fromMinute, toMinute }) => fromMinute < toMinute, {
    message:
      'the hours end before they begin: hours past midnight are written as two, such as 22:00-24:00 and 00:00-06:00',
  })

const UtcOffset = z
  .string()
  .regex(/^[+-](?:0\d|1[0-4]):[0-5]\d$/, 'write an offset such as +08:00')
  .transform((text) => (text.startsWith('-') ? -1 : 1) * minutesOf(text.slice(1)))
  .refine((minutes) => minutes >= -720 && minutes <= 840, { message: 'the offset must be from -12:00 to +14:00' })

const FactoryPeak = z
  .strictObject({
    /** A calendar of `calendars:`; left out or null: no day is a holiday. */
    calendar: Slug.nullable().default(null),
    utcOffset: UtcOffset.default(480),
    /** `weekdays`: Monday to Friday without holidays. `workdays`: those and worked weekend days. */
    days: z.enum(['weekdays', 'workdays', 'every_day']).default('weekdays'),
    hours: z.array(Hours).min(1, 'needs hours such as 09:00-12:00').max(16),
  })
  .refine(
    ({ hours }) => {
      const ordered = hours.toSorted((a, b) => a.fromMinute - b.fromMinute)
      return ordered.every(({ fromMinute }, index) => index === 0 || (ordered[index - 1]?.toMinute ?? 0) <= fromMinute)
    },
    { path: ['hours'], message: 'the hours overlap' },
  )

const FactoryVariant = z
  .strictObject({
    when: z
      .strictObject({
        tier: ServiceTier.optional(),
        period: z.enum(['peak', 'off_peak']).optional(),
        inputTokensAbove: z.int().min(0).max(100_000_000).optional(),
      })
      .refine((when) => Object.keys(when).length > 0, {
        message:
          'needs at least one of tier, period, inputTokensAbove: without a condition these are the prices of the sheet itself',
      }),
    perMillion: PerMillion.optional(),
    multiplier: Multiplier.optional(),
  })
  .refine(({ perMillion, multiplier }) => (perMillion === undefined) !== (multiplier === undefined), {
    message: 'needs either perMillion or a multiplier of the prices of the sheet',
  })

export const FactorySheet = z
  .strictObject({
    id: DatedId.optional(),
    validFrom: Instant,
    /** Left out or null: until the next sheet begins. */
    validTo: Instant.nullable().optional(),
    taxPercent: z.int().min(0).max(100),
    perMillion: PerMillion,
    /** When `period: peak` is. Left out: never. */
    peak: FactoryPeak.optional(),
    /** Asked in this order; the first that fits decides, and where none does, `perMillion` holds. */
    variants: z.array(FactoryVariant).max(64).default([]),
  })
  .superRefine(({ peak, variants }, context) => {
    const say = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message })
    const periods = variants.flatMap(({ when }, index) => (when.period === undefined ? [] : [index]))
    if (peak && periods.length === 0)
      say(['peak'], 'changes nothing: no variant says what another period than the ordinary one costs')
    for (const index of periods)
      if (!peak) say(['variants', index, 'when', 'period'], 'this sheet does not say when its peak hours are: add peak')
    for (const [index, { when }] of variants.entries())
      if (
        isShadowed(
          when,
          variants.slice(0, index).map((earlier) => earlier.when),
        )
      )
        say(['variants', index, 'when'], 'never decides, because a variant above fits wherever this one does')
  })
export type FactorySheet = z.infer<typeof FactorySheet>

/** How many units of the table one token of a service and class takes. */
const FactoryTableVersion = z.strictObject({
  id: DatedId.optional(),
  validFrom: Instant,
  /** Left out or null: until the next version begins. */
  validTo: Instant.nullable().optional(),
  weights: z
    .array(z.strictObject({ service: ServiceName, perToken: perClass(UnitsPerToken) }))
    .min(1, 'needs at least one service')
    .max(5_000),
})
export type FactoryTableVersion = z.infer<typeof FactoryTableVersion>

/** A published conversion table: the standard token, or the unit of token packages. */
export const FactoryTable = z.strictObject({
  id: Slug.refine((id) => !id.startsWith('tpm-'), {
    message: 'ids that begin with tpm- are those of the tables that come with offers of reservations',
  }),
  name: z.string().min(1).max(128).optional(),
  versions: z.array(FactoryTableVersion).min(1, 'needs at least one version').max(500),
})
export type FactoryTable = z.infer<typeof FactoryTable>

import * as z from 'zod'
import { parseUnits } from '#kernel'
import { AmountYuan, LimitYuan, UnitsPerToken, decimal } from './factory-decimals.ts'
import { Instant } from './instant.ts'
import { EpochMs, ServiceName, Slug } from './scalars.ts'

/**
 * What can be bought: declared in `factory.yaml` under `offers:` or by POST /offers. A draft may change; once launched, what an offer
 * says never changes again, so that everybody who bought it can be shown what they bought. New terms are a new offer.
 */

/** Ids of the conversion tables and definitions that an offer brings along contain its own. */
export const OfferId = Slug.max(40)

/** Units of a conversion table: whole millionths, at most six places. */
const Units = decimal(
  'an amount is a plain decimal number such as 10 or 0.5',
  'a number of units',
  parseUnits,
  (units) => (units > 0n ? null : 'the number of units must be above zero'),
)

const Count = (most: number) => z.int().min(1).max(most)

/** Minutes of the day in China, written `22:00`; 24:00 is the end of the day. */
const TimeOfDay = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/, 'write a time of day such as 22:00')

/** How long one may buy: `min` to `max` of the unit, or one of `also`. */
function termIn<Unit extends string>(units: readonly [Unit, ...Unit[]]) {
  return z
    .strictObject({
      per: z.enum(units),
      min: Count(1_000_000),
      max: Count(1_000_000),
      also: z.array(Count(1_000_000)).max(20).default([]),
    })
    .refine(({ min, max }) => min <= max, { path: ['max'], message: 'is below min' })
}

/** Tokens per minute in one direction, sold in units. */
const Direction = z.strictObject({
  /** Tokens per minute that one unit gives. What is asked for is rounded up to whole units. */
  unitTokens: Count(1_000_000_000),
  minUnits: Count(1_000_000).default(1),
  stepUnits: Count(1_000_000).default(1),
  /** Per unit and per day or month of the term. */
  priceYuan: LimitYuan,
})
export type Direction = z.infer<typeof Direction>

const Services = z.array(ServiceName).min(1).max(200)
/** What becomes of a request that does not fit: it goes on to the next means, or is refused with 429. */
const Overflow = z.enum(['next', 'reject'])
const Priority = z.int().min(0).max(1000).default(100)
const MaxMembers = z.int().min(0).max(1_000).default(0)

function offerWith(date: z.ZodType<number>) {
  const common = {
    id: OfferId,
    name: z.string().min(1).max(128).optional(),
    state: z.enum(['draft', 'launched', 'retired']).default('launched'),
    saleFrom: date.nullable().default(null),
    saleTo: date.nullable().default(null),
    /** Who may buy it; empty: everybody. */
    tenants: z.array(Slug).max(10_000).default([]),
    taxPercent: z.int().min(0).max(100),
    /** `operator`: what a tenant orders waits until an operator approves it. */
    approval: z.enum(['none', 'operator']).default('none'),
    /** How often one tenant may have it; null: as often as it likes. */
    mostPerTenant: Count(1_000).nullable().default(null),
    /** Whether who cancels gets back what was not used. */
    refund: z.enum(['unused', 'none']).default('none'),
  }
  const pack = z.strictObject({
    ...common,
    kind: z.literal('package'),
    /** The conversion table whose units these are; `CNY`: gift money, which must have no price. */
    table: z.union([Slug, z.literal('CNY')]),
    units: Units,
    priceYuan: LimitYuan,
    valid: z.union([
      z.strictObject({ days: Count(3_660) }),
      z.strictObject({ months: Count(120) }),
      z.strictObject({ until: date }),
    ]),
    /** Lots of a lower number burn first. */
    priority: Priority,
    /** How many tenants the buyer may share its wallet and tokens with. */
    maxMembers: MaxMembers,
  })
  const throughput = z.strictObject({
    ...common,
    kind: z.literal('throughput-tpm'),
    services: Services,
    input: Direction.nullable().default(null),
    output: Direction.nullable().default(null),
    /** Whether input that was read from a cache uses up input tokens. What is written to a cache always does. */
    cachedInput: z.enum(['counted', 'free']).default('counted'),
    term: termIn(['day', 'month']),
    /**
     * Present: a term ends with a day (23:59:59 in China). Bought before this time of day, today is the first day, else tomorrow.
     * Absent: a term ends at the minute at which it began.
     */
    dayCutoff: TimeOfDay.nullable().default(null),
    /** The part of every day in which it works; null: all of it. */
    window: z.strictObject({ from: TimeOfDay, to: TimeOfDay }).nullable().default(null),
    overflow: Overflow.default('next'),
  })
  const provisioned = z.strictObject({
    ...common,
    kind: z.literal('provisioned'),
    services: Services,
    /** Input-equivalent tokens per minute that one unit gives. */
    unitTokens: Count(1_000_000_000),
    minUnits: Count(1_000_000).default(1),
    stepUnits: Count(1_000_000).default(1),
    /** What a token of each class uses up. */
    burndown: z.strictObject({
      uncachedInputUnits: UnitsPerToken,
      cacheWriteUnits: UnitsPerToken,
      cacheReadUnits: UnitsPerToken,
      outputUnits: UnitsPerToken,
      reasoningUnits: UnitsPerToken,
    }),
    /** Per unit and hour; charged by the minute. */
    hourPriceYuan: LimitYuan,
    term: termIn(['minute', 'hour', 'day', 'month']),
    overflow: Overflow.default('reject'),
  })
  const spend = z.strictObject({
    ...common,
    kind: z.literal('spend-per-minute'),
    services: Services,
    minYuanPerMinute: AmountYuan,
    stepYuanPerMinute: AmountYuan,
    /** What a reserved yuan costs, in percent: 100 is no discount. */
    pricePercent: z.int().min(1).max(1_000).default(100),
    term: termIn(['minute', 'hour', 'day']),
    overflow: Overflow.default('next'),
  })
  const plan = z.strictObject({
    ...common,
    kind: z.literal('plan'),
    /** Each period is paid when it begins. */
    period: z.union([z.strictObject({ days: Count(3_660) }), z.strictObject({ months: Count(120) })]),
    priceYuan: AmountYuan,
    /** What each period brings; `weight` says which part of the price pays for it. */
    grants: z
      .array(z.strictObject({ table: Slug, units: Units, priority: Priority, weight: Count(1_000_000).default(1) }))
      .max(8)
      .default([]),
    creditLimitYuan: AmountYuan.nullable().default(null),
    maxMembers: MaxMembers,
  })
  const postpaid = z.strictObject({ ...common, kind: z.literal('postpaid'), creditLimitYuan: AmountYuan })
  return z
    .discriminatedUnion('kind', [pack, throughput, provisioned, spend, plan, postpaid])
    .superRefine((offer, context) => {
      for (const { path, message } of contradictions(offer))
        context.addIssue({ code: 'custom', path: [...path], message })
    })
}

/** An offer as it is written by people: dates as texts. */
export const FactoryOffer = offerWith(Instant)
export type FactoryOffer = z.infer<typeof FactoryOffer>

/** An offer as it is kept and answered: times in milliseconds since 1970. */
export const Offer = offerWith(EpochMs)
export type Offer = z.infer<typeof Offer>
export type OfferOf<Kind extends Offer['kind']> = Extract<Offer, { kind: Kind }>

/** What two fields may not say together. */
function contradictions(offer: z.infer<ReturnType<typeof offerWith>>): { path: readonly string[]; message: string }[] {
  const found: { path: readonly string[]; message: string }[] = []
  const say = (path: string, message: string) => found.push({ path: [path], message })
  if (offer.saleFrom !== null && offer.saleTo !== null && offer.saleTo <= offer.saleFrom)
    say('saleTo', 'the sale would end before it begins')
  if (offer.kind === 'package') {
    const isFree = isZero(offer.priceYuan)
    if (offer.table === 'CNY' && !isFree) say('priceYuan', 'gift money has the price 0')
    if (isFree && offer.approval === 'none' && offer.mostPerTenant === null)
      say('priceYuan', 'what costs nothing needs mostPerTenant or approval: operator, else anybody takes all of it')
    if (isFree && offer.refund !== 'none') say('refund', 'nothing was paid that could be refunded')
  }
  if (offer.kind === 'throughput-tpm') {
    if (offer.input === null && offer.output === null) say('input', 'needs input, output or both')
    if (offer.window && offer.window.to <= offer.window.from) say('window', 'ends before it begins')
    if (offer.dayCutoff !== null && offer.term.per !== 'day') say('dayCutoff', 'is for terms in days only')
  }
  return found
}

function isZero(text: string): boolean {
  return /^0+(?:\.0+)?$/.test(text)
}

/** GET, POST /offers. `offer` is everything that was declared. */
export const OfferView = z.object({
  id: OfferId,
  name: z.string(),
  kind: z.enum(['package', 'throughput-tpm', 'provisioned', 'spend-per-minute', 'plan', 'postpaid']),
  state: z.enum(['draft', 'launched', 'retired']),
  createdAtMs: EpochMs,
  launchedAtMs: EpochMs.nullable(),
  retiredAtMs: EpochMs.nullable(),
  offer: Offer,
})
export type OfferView = z.infer<typeof OfferView>

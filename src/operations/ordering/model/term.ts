import type { Configuration, Offer, OfferOf } from '#contract'
import { DAY_MS, addMonths, parseYuan, pico, prorate, unreachable } from '#kernel'
import { HOUR_MS, MINUTE_MS, dayStart, minuteOfDay, parseTimeOfDay } from './calendar.ts'

/** How long something lasts. */
export type Length =
  | { readonly per: 'minute' | 'hour' | 'day' | 'month'; readonly count: number }
  | { readonly until: number }
  | { readonly per: 'ever' }

/** A span of time, `fromMs` inclusive, `toMs` exclusive; null: until it is ended. */
export interface Span {
  readonly fromMs: number
  readonly toMs: number | null
}

const LENGTH_MS = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS } as const

export function lengthOf(offer: Offer, configuration: Configuration): Length {
  switch (offer.kind) {
    case 'package':
      if ('until' in offer.valid) return { until: offer.valid.until }
      return 'days' in offer.valid
        ? { per: 'day', count: offer.valid.days }
        : { per: 'month', count: offer.valid.months }
    case 'throughput-tpm':
    case 'provisioned':
    case 'spend-per-minute':
      return { per: offer.term.per, count: configuration.term ?? offer.term.min }
    case 'plan':
      return 'days' in offer.period
        ? { per: 'day', count: offer.period.days }
        : { per: 'month', count: offer.period.months }
    case 'postpaid':
      return { per: 'ever' }
    default:
      return unreachable(offer)
  }
}

/**
 * The term that begins with a purchase. Where an offer's terms end with a day, what is bought at or after the cut-off has tomorrow
 * for its first day and works already today (Alibaba Model Studio, TPM reservations: 22:00).
 */
export function firstTerm(offer: Offer, configuration: Configuration, boughtMs: number): Span {
  const length = lengthOf(offer, configuration)
  if (offer.kind === 'throughput-tpm' && offer.dayCutoff !== null && 'count' in length) {
    const firstDay = minuteOfDay(boughtMs) < parseTimeOfDay(offer.dayCutoff) ? 0 : 1
    return { fromMs: boughtMs, toMs: dayStart(boughtMs) + (firstDay + length.count) * DAY_MS }
  }
  return { fromMs: boughtMs, toMs: after(boughtMs, length, 1) }
}

/** The term after a term that ended: months are counted from the first beginning, so that the 31st comes back. */
export function nextTerm(length: Length, anchorMs: number, endedMs: number): Span {
  if (!('count' in length)) throw new RangeError('what has no length has no next term')
  if (length.per !== 'month') return { fromMs: endedMs, toMs: after(endedMs, length, 1) }
  for (let terms = 1; ; terms++) {
    const toMs = addMonths(anchorMs, terms * length.count)
    if (toMs > endedMs) return { fromMs: endedMs, toMs }
  }
}

function after(fromMs: number, length: Length, terms: number): number | null {
  if ('until' in length) return length.until
  if (length.per === 'ever') return null
  if (length.per === 'month') return addMonths(fromMs, length.count * terms)
  return fromMs + length.count * terms * LENGTH_MS[length.per]
}

/** Whether it can be renewed at all: what ends on a given day or never cannot, nor can what was given away. */
export function isRenewable(offer: Offer): boolean {
  if (offer.kind === 'postpaid') return false
  if (offer.kind !== 'package') return true
  return !('until' in offer.valid) && offer.mostPerTenant === null && parseYuan(offer.priceYuan) > 0n
}

/** Whole minutes or days that are paid, whether used or not: what of a term is left when it is ended early begins after them. */
export function usedUntil(offer: Offer, { fromMs, toMs }: Span, atMs: number): number {
  const step = isByTheMinute(offer) ? MINUTE_MS : DAY_MS
  const begun = Math.max(0, Math.ceil((atMs - fromMs) / step)) * step
  return Math.min(fromMs + begun, toMs ?? Number.MAX_SAFE_INTEGER)
}

/** What of a term's price was not used at an instant. */
export function unusedOf(offer: Offer, grossPico: bigint, { fromMs, toMs }: Span, atMs: number): bigint {
  if (toMs === null) return 0n
  return grossPico - prorate(pico(grossPico), { fromMs, toMs }, usedUntil(offer, { fromMs, toMs }, atMs))
}

function isByTheMinute(offer: Offer): offer is OfferOf<'provisioned'> | OfferOf<'spend-per-minute'> {
  return offer.kind === 'provisioned' || offer.kind === 'spend-per-minute'
}

/** When a renewal is attempted, at most four times: 08:20 to 20:00 on the day before the last one (Alibaba Model Studio). */
const ATTEMPT_MINUTES = [8 * 60 + 20, 12 * 60 + 10, 16 * 60 + 10, 20 * 60] as const

/**
 * The instants at which the term that follows is tried to be paid. A term that began too late for the day before has its last day
 * for it, and one of less than a day four moments of its second half.
 */
export function renewalAttempts({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): number[] {
  const lastDay = dayStart(toMs - 1)
  for (const day of [lastDay - DAY_MS, lastDay]) {
    const times = ATTEMPT_MINUTES.map((minute) => day + minute * MINUTE_MS)
    if (times.every((time) => time >= fromMs && time < toMs)) return times
  }
  const half = (toMs - fromMs) / 2
  return ATTEMPT_MINUTES.map((_, index) => Math.floor(fromMs + half + (half * index) / ATTEMPT_MINUTES.length))
}

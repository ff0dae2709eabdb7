import type { Configuration, Direction, Offer, OfferOf } from '#contract'
import { parseYuan } from '#kernel'
import type { Length } from './term.ts'

/** What is wrong with a configuration, in the words of the API. */
export interface ConfigurationIssue {
  readonly path: string
  readonly message: string
}

const FIELDS: Readonly<Record<Offer['kind'], readonly (keyof Configuration)[]>> = {
  package: ['quantity', 'autoRenew'],
  'throughput-tpm': ['inputTpm', 'outputTpm', 'term', 'overflow', 'autoRenew'],
  provisioned: ['units', 'term', 'overflow', 'autoRenew'],
  'spend-per-minute': ['yuanPerMinute', 'term', 'overflow', 'autoRenew'],
  plan: ['autoRenew'],
  postpaid: [],
}

/** Units of a direction for so many tokens per minute, rounded up to what is sold (xAI's rule: 100,000 of 31,500 are four). */
export function unitsFor({ unitTokens, minUnits, stepUnits }: Direction, tokensPerMinute: number): number {
  const wanted = Math.ceil(tokensPerMinute / unitTokens)
  return minUnits + Math.ceil(Math.max(0, wanted - minUnits) / stepUnits) * stepUnits
}

/** Everything about a configuration that this offer does not sell; too little is refused and never rounded up into a larger bill. */
export function configurationIssues(offer: Offer, configuration: Configuration): ConfigurationIssue[] {
  const issues = Object.keys(configuration)
    .filter((name) => !FIELDS[offer.kind].some((allowed) => allowed === name))
    .map((name) => ({ path: name, message: `${offer.kind} has no such choice` }))
  const say = (path: keyof Configuration, message: string) => issues.push({ path, message })
  if ('term' in offer) issues.push(...termIssues(offer.term, configuration.term ?? offer.term.min))
  if (offer.kind === 'throughput-tpm') {
    for (const [name, direction] of [
      ['inputTpm', offer.input],
      ['outputTpm', offer.output],
    ] as const) {
      const wanted = configuration[name]
      if (direction === null && wanted !== undefined) say(name, 'is not part of this offer')
      if (direction !== null && wanted === undefined) say(name, 'how many tokens per minute?')
      if (direction !== null && wanted !== undefined && wanted < direction.minUnits * direction.unitTokens)
        say(name, `must be at least ${direction.minUnits * direction.unitTokens}`)
    }
  }
  if (offer.kind === 'provisioned') {
    const { units } = configuration
    if (units === undefined) say('units', 'how many units?')
    else if (units < offer.minUnits) say('units', `must be at least ${offer.minUnits}`)
    else if ((units - offer.minUnits) % offer.stepUnits !== 0)
      say('units', `must be ${offer.minUnits} and a multiple of ${offer.stepUnits} more`)
  }
  if (offer.kind === 'spend-per-minute') {
    const { yuanPerMinute } = configuration
    const [least, step] = [parseYuan(offer.minYuanPerMinute), parseYuan(offer.stepYuanPerMinute)]
    if (yuanPerMinute === undefined) say('yuanPerMinute', 'how much per minute?')
    else if (parseYuan(yuanPerMinute) < least) say('yuanPerMinute', `must be at least ${offer.minYuanPerMinute}`)
    else if ((parseYuan(yuanPerMinute) - least) % step !== 0n)
      say('yuanPerMinute', `must be ${offer.minYuanPerMinute} and a multiple of ${offer.stepYuanPerMinute} more`)
  }
  return issues
}

function termIssues(
  { per, min, max, also }: OfferOf<'provisioned'>['term'] | OfferOf<'throughput-tpm'>['term'],
  count: number,
): ConfigurationIssue[] {
  if ((count >= min && count <= max) || also.includes(count)) return []
  const others = also.length > 0 ? ` or ${also.join(', ')}` : ''
  return [{ path: 'term', message: `must be ${min === max ? min : `${min} to ${max}`}${others} (${per})` }]
}

/** Minutes of a term, for what is priced by time. A month has as many as the calendar gives it. */
export function minutesOf(length: Length, fromMs: number, toMs: number | null): bigint {
  if ('count' in length && length.per === 'minute') return BigInt(length.count)
  return BigInt(Math.round(((toMs ?? fromMs) - fromMs) / 60_000))
}

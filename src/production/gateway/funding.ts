import { TOKEN_CLASSES, periodAt, upperBound } from '#kernel'
import type { TokenClass, TokenPrices } from '#kernel'
import { isInForce } from './means.ts'
import type { Funding, Reservation } from './means.ts'
import type { TokenBounds } from './pricing.ts'
import { conversionAt } from './tables.ts'
import type { Conversion, Table } from './tables.ts'

/** What a request asks of its payer, before anything is held. */
export interface Asked extends TokenBounds {
  readonly service: string
  readonly atMs: number
}

/** Units of a bucket that pay for the tokens of some classes. `amount` pays for all that the request may use of them. */
export interface UnitPart {
  readonly bucket: string
  readonly conversion: Conversion
  readonly classes: readonly TokenClass[]
  readonly amount: bigint
}

/** One of the means that may pay for a request, and how. */
export type Step =
  | { readonly kind: 'wallet'; readonly id: string; readonly bucket: string; readonly payer: string }
  /** As far as it goes. */
  | { readonly kind: 'tokens'; readonly id: string; readonly part: UnitPart }
  /** The whole request or nothing of it. */
  | ({ readonly kind: 'units'; readonly parts: readonly UnitPart[] } & ReservationStep)
  /** As far as it goes, if what it cannot pay may go on. */
  | ({ readonly kind: 'money'; readonly bucket: string } & ReservationStep)

interface ReservationStep {
  readonly id: string
  readonly overflow: 'next' | 'reject'
  readonly refilledAtMs: number
}

/** Which means may pay for a request, in the order in which they are asked: in arrears no wallet is. Pure. */
export function planFunding({ means, isRestricted }: Funding, asked: Asked): readonly Step[] {
  return means.flatMap((each): Step[] => {
    switch (each.kind) {
      case 'wallet':
        return isRestricted ? [] : [each]
      case 'tokens': {
        const part = unitPart(each.bucket, each.table, asked)
        return part ? [{ kind: 'tokens', id: each.id, part }] : []
      }
      case 'throughput':
        return reservationSteps(each, asked)
    }
  })
}

function reservationSteps(reservation: Reservation, asked: Asked): Step[] {
  if (!reservation.services.has(asked.service) || !isInForce(reservation, asked.atMs)) return []
  const { key, toMs } = periodAt(reservation.period, asked.atMs)
  const { id, overflow, dimensions } = reservation
  const step = { id, overflow, refilledAtMs: toMs }
  if ('money' in dimensions) return [{ kind: 'money', bucket: `${dimensions.money}@${key}`, ...step }]
  const parts = dimensionParts(dimensions, key, asked)
  return parts ? [{ kind: 'units', parts, ...step }] : []
}

/**
 * Each class of tokens is counted in one dimension: the first that gives it a weight. One that none gives a weight is free in this
 * reservation and goes with the first. Two dimensions that weigh the same class cannot be told apart in a record, so such a
 * reservation pays for nothing.
 */
function dimensionParts(
  dimensions: ReadonlyArray<{ readonly bucket: string; readonly table: Table }>,
  period: string,
  asked: Asked,
): readonly UnitPart[] | undefined {
  const free = new Set<TokenClass>(TOKEN_CLASSES)
  const parts: UnitPart[] = []
  for (const { bucket, table } of dimensions) {
    const conversion = conversionAt(table, asked.service, asked.atMs)
    if (!conversion) return undefined
    const weighed = TOKEN_CLASSES.filter((name) => conversion.weights[name] > 0n)
    if (!weighed.every((name) => free.delete(name))) return undefined
    parts.push({
      bucket: `${bucket}@${period}`,
      conversion,
      classes: weighed,
      amount: unitBound(conversion.weights, asked),
    })
  }
  const [first, ...others] = parts
  return first && [{ ...first, classes: [...first.classes, ...free] }, ...others]
}

function unitPart(bucket: string, table: Table, asked: Asked): UnitPart | undefined {
  const conversion = conversionAt(table, asked.service, asked.atMs)
  return conversion && { bucket, conversion, classes: TOKEN_CLASSES, amount: unitBound(conversion.weights, asked) }
}

/** The most units that a request can take. */
export function unitBound(weights: TokenPrices, { inputBound, outputBound }: TokenBounds): bigint {
  return upperBound({ inputTokens: inputBound, outputTokens: outputBound }, weights)
}

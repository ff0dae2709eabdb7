import type { Configuration, Entitlement, Offer, OfferOf } from '#contract'
import {
  divideHalfEven,
  netOfTax,
  parseUnits,
  parseYuan,
  pico,
  reservationTableId,
  splitByWeight,
  unreachable,
} from '#kernel'
import { parseTimeOfDay } from './calendar.ts'
import { minutesOf, unitsFor } from './sizing.ts'
import { lengthOf } from './term.ts'
import type { Span } from './term.ts'

/** What one term costs and brings. */
export interface Priced extends Span {
  readonly grossPico: bigint
  readonly netPico: bigint
  readonly taxPico: bigint
  readonly taxPercent: number
  readonly entitlements: readonly Entitlement[]
}

/** Millionths: what one token debits from a table's unit when its weight is 1. */
const ONE = 1_000_000n

/**
 * The price of one term of an offer, exact to the pico, and what it brings. Pure: the same offer, configuration and term always
 * give the same answer. Expects a configuration without issues.
 */
export function priceOf(offer: Offer, configuration: Configuration, span: Span): Priced {
  const grossPico = grossOf(offer, configuration, span)
  const netPico = netOfTax(pico(grossPico), offer.taxPercent)
  return {
    ...span,
    grossPico,
    netPico,
    taxPico: grossPico - netPico,
    taxPercent: offer.taxPercent,
    entitlements: entitlementsOf(offer, configuration, netPico),
  }
}

function grossOf(offer: Offer, configuration: Configuration, { fromMs, toMs }: Span): bigint {
  const length = lengthOf(offer, configuration)
  switch (offer.kind) {
    case 'package':
      return parseYuan(offer.priceYuan) * BigInt(configuration.quantity ?? 1)
    case 'throughput-tpm': {
      const { input, output } = unitsOf(offer, configuration)
      const perPeriod =
        BigInt(input) * parseYuan(offer.input?.priceYuan ?? '0') +
        BigInt(output) * parseYuan(offer.output?.priceYuan ?? '0')
      return perPeriod * BigInt(configuration.term ?? offer.term.min)
    }
    case 'provisioned':
      return divideHalfEven(
        parseYuan(offer.hourPriceYuan) * BigInt(configuration.units ?? 0) * minutesOf(length, fromMs, toMs),
        60n,
      )
    case 'spend-per-minute':
      return divideHalfEven(
        parseYuan(configuration.yuanPerMinute ?? '0') * minutesOf(length, fromMs, toMs) * BigInt(offer.pricePercent),
        100n,
      )
    case 'plan':
      return parseYuan(offer.priceYuan)
    case 'postpaid':
      return 0n
    default:
      return unreachable(offer)
  }
}

function entitlementsOf(offer: Offer, configuration: Configuration, netPico: bigint): Entitlement[] {
  const reservation = { kind: 'reservation', window: null } as const
  switch (offer.kind) {
    case 'package': {
      const isGift = parseYuan(offer.priceYuan) === 0n
      const each = offer.table === 'CNY' ? parseYuan(offer.units) : parseUnits(offer.units)
      return [
        {
          kind: 'lot',
          unit: offer.table,
          source: isGift ? 'gift' : 'package',
          amount: `${each * BigInt(configuration.quantity ?? 1)}`,
          priority: offer.priority,
          netPico: `${netPico}`,
        },
      ]
    }
    case 'throughput-tpm': {
      const { services, overflow, window } = offer
      const sides = [
        ['in', offer.input],
        ['out', offer.output],
      ] as const
      const units = unitsOf(offer, configuration)
      const dimensions = sides.flatMap(([name, direction]) =>
        direction === null
          ? []
          : [
              {
                name,
                unit: reservationTableId(offer.id, name),
                amountPerMinute: `${BigInt(name === 'in' ? units.input : units.output) * BigInt(direction.unitTokens) * ONE}`,
              },
            ],
      )
      const minutes = window && { fromMinute: parseTimeOfDay(window.from), toMinute: parseTimeOfDay(window.to) }
      return [{ ...reservation, services, dimensions, window: minutes, overflow: configuration.overflow ?? overflow }]
    }
    case 'provisioned': {
      const { services, unitTokens, overflow } = offer
      const amountPerMinute = `${BigInt(configuration.units ?? 0) * BigInt(unitTokens) * ONE}`
      const dimensions = [{ name: 'ptu', unit: reservationTableId(offer.id, 'ptu'), amountPerMinute }]
      return [{ ...reservation, services, dimensions, overflow: configuration.overflow ?? overflow }]
    }
    case 'spend-per-minute': {
      const { services, overflow } = offer
      const dimensions = [
        { name: 'cny', unit: 'CNY', amountPerMinute: `${parseYuan(configuration.yuanPerMinute ?? '0')}` },
      ]
      return [{ ...reservation, services, dimensions, overflow: configuration.overflow ?? overflow }]
    }
    case 'plan':
      return [...planLots(offer, netPico), ...creditOf(offer.creditLimitYuan)]
    case 'postpaid':
      return creditOf(offer.creditLimitYuan)
    default:
      return unreachable(offer)
  }
}

/** A plan's price is paid for its grants together; each defers its share of the net. */
function planLots(offer: OfferOf<'plan'>, netPico: bigint): Entitlement[] {
  if (offer.grants.length === 0) return []
  const shares = splitByWeight(
    netPico,
    offer.grants.map(({ table, weight }) => ({ id: table, weight: BigInt(weight) })),
  )
  return offer.grants.map(({ table, units, priority }, index) => ({
    kind: 'lot',
    unit: table,
    source: 'package',
    amount: `${parseUnits(units)}`,
    priority,
    netPico: `${shares[index] ?? 0n}`,
  }))
}

function creditOf(limitYuan: string | null): Entitlement[] {
  return limitYuan === null ? [] : [{ kind: 'credit', limitPico: `${parseYuan(limitYuan)}` }]
}

function unitsOf(offer: OfferOf<'throughput-tpm'>, { inputTpm, outputTpm }: Configuration) {
  return {
    input: offer.input && inputTpm !== undefined ? unitsFor(offer.input, inputTpm) : 0,
    output: offer.output && outputTpm !== undefined ? unitsFor(offer.output, outputTpm) : 0,
  }
}

/** Entitlements of a part of a term: lots in proportion to it, rounded up to whole millionths; what is per minute stays. */
export function shareOf(
  entitlements: readonly Entitlement[],
  netPico: bigint,
  part: bigint,
  whole: bigint,
): readonly Entitlement[] {
  const lots = entitlements.filter((one) => one.kind === 'lot')
  const nets = netPico === 0n || lots.length === 0 ? [] : sharesOf(netPico, lots)
  let next = 0
  return entitlements.map((one) => {
    if (one.kind !== 'lot') return one
    const amount = (BigInt(one.amount) * part + whole - 1n) / whole
    return { ...one, amount: `${amount}`, netPico: `${nets[next++] ?? 0n}` }
  })
}

function sharesOf(
  netPico: bigint,
  lots: readonly { readonly unit: string; readonly netPico: string }[],
): readonly bigint[] {
  return splitByWeight(
    netPico,
    lots.map(({ unit, netPico: weight }) => ({ id: unit, weight: BigInt(weight) })),
  )
}

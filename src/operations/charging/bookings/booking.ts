import * as z from 'zod'
import type { Entry } from '#ledger'

const Amount = z
  .string()
  .regex(/^-?\d{1,38}$/)
  .transform(BigInt)
const Owner = z.object({ tenant: z.string() })

/** What a price was covered by, and the tax in it: the parts of a usage record as it was or is to be. */
const Parts = z.object({ sell: Amount, gift: Amount, credit: Amount, overrun: Amount, tax: Amount })

/**
 * Everything beside usage and payments that moves wallets, lots or deferred revenue. The entries of its posting follow from these
 * facts alone, so `verify` makes them again.
 */
export const Booking = z.discriminatedUnion('kind', [
  Owner.extend({ kind: z.literal('grant'), unit: z.string(), source: z.string(), amount: Amount }),
  Owner.extend({
    kind: z.literal('fee'),
    paid: Amount,
    credit: Amount,
    net: Amount,
    tax: Amount,
    isDeferred: z.boolean(),
  }),
  Owner.extend({
    kind: z.literal('fee_refund'),
    paid: Amount,
    credit: Amount,
    tax: Amount,
    /** The net part, by where it comes from: not earned yet, earned, or a package that was bought. */
    deferred: Amount,
    earned: Amount,
    bought: Amount,
  }),
  Owner.extend({ kind: z.literal('revoke'), unit: z.string(), amount: Amount, revenue: Amount, earned: Amount }),
  Owner.extend({ kind: z.literal('expiry'), unit: z.string(), amount: Amount, revenue: Amount }),
  Owner.extend({ kind: z.literal('recognition'), amount: Amount }),
  Owner.extend({ kind: z.literal('transfer'), to: z.string(), amount: Amount, repaid: Amount }),
  Owner.extend({ kind: z.literal('withdrawal'), amount: Amount }),
  /** An overrun that was paid out of the wallet. */
  Owner.extend({ kind: z.literal('settlement'), amount: Amount }),
  Owner.extend({
    kind: z.literal('correction'),
    service: z.string(),
    /** As it was booked, less what of its overrun payments have settled meanwhile: that is money, and comes back in a lot of its own. */
    before: Parts,
    settled: Amount,
    /** Paid before there were lots: no lot could have it back, so it comes back in that lot too. */
    unlotted: Amount.default(0n),
    /** Of its overrun, what was written off: nobody paid it, and nobody gets it. */
    writtenOff: Amount.default(0n),
    after: Parts,
    tokens: z.array(z.object({ tenant: z.string(), table: z.string(), units: Amount, revenuePico: Amount })),
  }),
])
export type Booking = z.infer<typeof Booking>
export type BookingKind = Booking['kind']

export const BOOKING_KINDS: ReadonlySet<string> = new Set(Booking.options.map(({ shape }) => shape.kind.value))

/** The entries of a booking. Net of what is zero. */
export function bookingEntries(booking: Booking): Entry[] {
  return entriesOf(booking)
    .map(([account, amountPico]) => ({ account, amountPico }))
    .filter((entry) => entry.amountPico !== 0n)
}

function entriesOf(booking: Booking): (readonly [account: string, amountPico: bigint])[] {
  const { tenant } = booking
  switch (booking.kind) {
    case 'grant':
      return granted(booking)
    case 'fee':
      return [
        [`2000:${tenant}`, booking.paid],
        [`1110:${tenant}`, booking.credit],
        [`${booking.isDeferred ? 2010 : 4010}:${tenant}`, -booking.net],
        ['2210', -booking.tax],
      ]
    case 'fee_refund':
      return [
        [`2010:${tenant}`, booking.deferred],
        [`4010:${tenant}`, booking.earned],
        // Cancelling a package turns what it still owed into breakage, and what is paid back for it comes out of that.
        [`4020:${tenant}`, booking.bought],
        ['2210', booking.tax],
        [`1110:${tenant}`, -booking.credit],
        [`2000:${tenant}`, -booking.paid],
      ]
    case 'revoke':
    case 'expiry':
      return gone(booking)
    case 'recognition':
      return [
        [`2010:${tenant}`, booking.amount],
        [`4010:${tenant}`, -booking.amount],
      ]
    case 'transfer':
      return [
        [`2000:${tenant}`, booking.amount],
        [`2000:${booking.to}`, booking.repaid - booking.amount],
        [`1190:${booking.to}`, -booking.repaid],
      ]
    case 'withdrawal':
      return [
        [`2000:${tenant}`, booking.amount],
        [`2400:${tenant}`, -booking.amount],
      ]
    case 'settlement':
      return [
        [`2000:${tenant}`, booking.amount],
        [`1190:${tenant}`, -booking.amount],
      ]
    case 'correction':
      return corrected(booking)
  }
}

type Of<Kind extends BookingKind> = Extract<Booking, { kind: Kind }>

function granted({ tenant, unit, source, amount }: Of<'grant'>): [string, bigint][] {
  if (unit !== 'CNY')
    return [
      [`8000:${unit}`, amount],
      [`8010:${tenant}/${unit}`, -amount],
    ]
  return [
    [source === 'paid' ? '1010' : `2009:${tenant}`, amount],
    [`${source === 'paid' ? 2000 : 2001}:${tenant}`, -amount],
  ]
}

/** What is cancelled was never issued; what expires is a number of its own. Money that was deferred for it is breakage. */
function gone({ kind, tenant, unit, amount, revenue }: Of<'revoke'> | Of<'expiry'>): [string, bigint][] {
  if (unit === 'CNY')
    return [
      [`2001:${tenant}`, amount],
      [`2009:${tenant}`, -amount],
    ]
  return [
    [`8010:${tenant}/${unit}`, amount],
    [`${kind === 'expiry' ? 8030 : 8000}:${unit}`, -amount],
    [`2010:${tenant}`, revenue],
    [`4020:${tenant}`, -revenue],
  ]
}

/** The mirror of what was booked, and what should have been. */
function corrected({ tenant, service, before, writtenOff, after, tokens }: Of<'correction'>): [string, bigint][] {
  const part = (name: keyof typeof before): bigint => after[name] - before[name]
  const sell = part('sell')
  return [
    [`2000:${tenant}`, sell - part('gift') - part('credit') - part('overrun') + writtenOff],
    ['5030', -writtenOff],
    [`1110:${tenant}`, part('credit')],
    [`1190:${tenant}`, part('overrun')],
    [`2001:${tenant}`, part('gift')],
    [`2009:${tenant}`, -part('gift')],
    [`4000:${service}`, part('tax') + part('gift') - sell],
    ['2210', -part('tax')],
    ...tokens.flatMap(({ tenant: owner, table, units, revenuePico }): [string, bigint][] => [
      [`8010:${owner}/${table}`, units],
      [`8020:${table}`, -units],
      [`2010:${owner}`, revenuePico],
      [`4010:${owner}`, -revenuePico],
    ]),
  ]
}

/** How much a booking changes what lots have left: of paid money, of gifts, and of tokens. Grants make their lot and change none. */
export function expectedMoves(booking: Booking): { paid: bigint; gift: bigint; units: bigint } {
  const none = { paid: 0n, gift: 0n, units: 0n }
  switch (booking.kind) {
    case 'fee':
      return { ...none, paid: -booking.paid }
    case 'fee_refund':
      return { ...none, paid: booking.paid }
    case 'revoke':
    case 'expiry':
      return booking.unit === 'CNY' ? { ...none, gift: -booking.amount } : { ...none, units: -booking.amount }
    case 'transfer':
    case 'withdrawal':
    case 'settlement':
      return { ...none, paid: -booking.amount }
    case 'correction': {
      const { before, settled, unlotted, writtenOff, after, tokens } = booking
      const paid = (parts: typeof before) => parts.sell - parts.gift - parts.credit - parts.overrun
      return {
        paid: paid(before) - settled - unlotted - writtenOff - paid(after),
        gift: before.gift - after.gift,
        units: tokens.reduce((sum, { units }) => sum - units, 0n),
      }
    }
    case 'grant':
    case 'recognition':
      return none
  }
}

/** Deferred revenue that a booking takes from lots of tokens. */
export function revenueOf(booking: Booking): bigint {
  if (booking.kind === 'revoke' || booking.kind === 'expiry') return booking.revenue
  return booking.kind === 'correction' ? booking.tokens.reduce((sum, { revenuePico }) => sum + revenuePico, 0n) : 0n
}

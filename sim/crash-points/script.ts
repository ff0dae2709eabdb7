import type { Part } from '#holds'
import { YUAN } from '../../test/charging.ts'
import { TABLE, TABLE_VERSION, WEIGHTS } from './requests.ts'
import type { World } from './world.ts'

const TENANT = 'acme'
const WALLET = `wallet:${TENANT}`
const TOKENS = `tokens:${TENANT}/${TABLE}`
const CAP = 'cap:tenant/acme/day'
const HOLD = 10n ** 10n

const whole = (bucket: string, amount: bigint): Part => ({ bucket, amount, atLeast: amount, optional: false })

/**
 * A small day of a tenant: payments, a gift that expires, tokens, a spend cap; requests that pay with each, hang, are given up, run
 * while slices are renewed and returned; a fee, a refund. Every call that the two programs make of disk and database is in it.
 */
export async function smallDay(world: World): Promise<void> {
  const nowMs = world.clock.nowMs()
  const day = new Date(nowMs + 8 * 3_600_000).toISOString().slice(0, 10)
  const capped = [whole(`${CAP}@${day}`, HOLD), whole(WALLET, HOLD)]
  const plain = [whole(WALLET, HOLD)]
  const tokens = [whole(TOKENS, 2_000_000_000n)]

  await world.insist(({ charging }) => charging.topup({ tenant: TENANT, amountPico: 40n * HOLD, reference: 'pay-1' }))
  await world.insist(({ charging, transaction }) =>
    transaction((tx) =>
      charging.grantLot(tx, {
        tenant: TENANT,
        unit: 'CNY',
        source: 'gift',
        amount: 3n * 10n ** 8n,
        reference: 'welcome',
        expiresAtMs: nowMs + 20_000,
        memo: 'welcome',
      }),
    ),
  )
  await world.insist(({ charging, transaction }) =>
    transaction((tx) =>
      charging.putDefinition(tx, {
        id: CAP,
        tenant: TENANT,
        kind: 'cap',
        unit: 'CNY',
        period: 'day',
        amount: YUAN,
        validFromMs: 0,
        validToMs: null,
      }),
    ),
  )
  await world.insist(({ charging, transaction }) =>
    transaction(async (tx) => {
      await charging.chargeFee(tx, {
        tenant: TENANT,
        amountPico: HOLD,
        taxPercent: 6,
        reference: 'fee-1',
        memo: 'package',
        revenue: 'package',
      })
      await charging.grantLot(tx, {
        tenant: TENANT,
        unit: TABLE,
        source: 'package',
        amount: 5_000_000_000n,
        reference: 'package-1',
        netPico: 9_433_962_264n,
        memo: 'package',
      })
    }),
  )

  await world.place(plain)
  await world.place(capped)
  await world.open(0)
  await world.place(tokens)
  await world.open(1)
  await world.finish(0)
  await world.wait(30)
  await world.place(capped)
  await world.open(0)
  await world.finish(0)
  await world.place(tokens)
  await world.open(0)
  await world.finish(0)
  await world.wait(300)
  await world.place(plain)
  await world.voidOne(0)
  await world.finish(0)
  await world.insist(({ charging }) => charging.topup({ tenant: TENANT, amountPico: HOLD, reference: 'pay-2' }))
  // Idle slices go back, and the next request fetches new ones.
  await world.wait(6_000)
  await world.place(capped)
  await world.open(0)
  await world.place(tokens)
  await world.finish(0)
  await world.finish(0)
  await world.wait(25_000)
  await world.insist(({ charging }) => charging.expireLots(world.clock.nowMs()))
  await world.insist(({ charging, transaction }) =>
    transaction((tx) =>
      charging.refundFee(tx, { reference: 'refund-1', feeReference: 'fee-1', amountPico: HOLD / 2n, memo: 'goodwill' }),
    ),
  )
  await world.place(plain)
  await world.comeToRest()
}

/** For `verify`: what the token bucket's units are. */
export async function weightsOf(version: string) {
  if (version !== TABLE_VERSION) return undefined
  return { table: TABLE, validFromMs: 0, validToMs: null, weights: WEIGHTS }
}

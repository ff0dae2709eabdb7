import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Draw, UsageRecord } from '#contract'
import { NO_TOKENS } from '#kernel'
import { balances } from '#ledger'
import { manualClock } from '#platform/clock'
import type { Transaction } from '#platform/postgres'
import { JOURNAL, YUAN } from '../../../test/charging.ts'
import { freshDatabase } from '../../../test/database.ts'
import type { FreshDatabase } from '../../../test/database.ts'
import { START_MS, sampleRecord, sheetById } from '../../../test/sample-usage.ts'
import { createCharging } from './index.ts'
import type { Charging, FiledWeights } from './index.ts'

let database: FreshDatabase
const clock = manualClock(START_MS)
beforeAll(async () => {
  database = await freshDatabase({ max: 12 })
})
afterAll(() => database[Symbol.asyncDispose]())
const make = (on: FreshDatabase = database): Charging => createCharging({ database: on, clock })

const DAY_MS = 86_400_000
const UNIT = 1_000_000n
const weights = async (version: string): Promise<FiledWeights | undefined> =>
  version === 'std@1'
    ? {
        table: 'std',
        validFromMs: 0,
        validToMs: null,
        weights: {
          uncachedInput: '1000000',
          cacheWrite: '1000000',
          cacheRead: '100000',
          output: '4000000',
          reasoning: '4000000',
        },
      }
    : undefined

async function coherent(charging: Charging): Promise<void> {
  const reply = await charging.verify({ sheetById, weights })
  expect(reply.checks.filter((check) => !check.ok)).toEqual([])
}

const within = <T>(work: (tx: Transaction) => Promise<T>, on: FreshDatabase = database): Promise<T> =>
  on.transaction(work)

/** Slices of these buckets for one gateway, in their order. */
async function slicesOf(charging: Charging, gateway: string, wants: readonly (readonly [string, bigint])[]) {
  const { epoch } = await charging.register({ gateway, journal: JOURNAL })
  const ids: string[] = []
  for (const [index, [bucket, amount]] of wants.entries()) {
    const reply = await charging.grant({ gateway, epoch, seq: index + 1, bucket, min: `${amount}`, want: `${amount}` })
    if (reply.outcome !== 'granted') throw new Error(`${bucket}: ${JSON.stringify(reply)}`)
    ids.push(reply.slice.id)
  }
  return ids
}

const account = async (code: string, on: FreshDatabase = database): Promise<bigint> =>
  (await balances(on, code)).find((balance) => balance.account === code)?.amountPico ?? 0n

const remaining = async (charging: Charging, tenant: string): Promise<Record<string, string>> =>
  Object.fromEntries((await charging.lots({ tenant, limit: 100 })).map((lot) => [lot.reference, `${lot.remaining}`]))

test('gifts burn first and are neither revenue nor taxed; then paid money; then credit up to its limit', async () => {
  const charging = make()
  await within(async (tx) => {
    await charging.openAccount(tx, { tenant: 'mix', creditLimitPico: YUAN })
    await charging.grantLot(tx, {
      tenant: 'mix',
      unit: 'CNY',
      source: 'gift',
      amount: 100_000_000n,
      reference: 'welcome',
      memo: 'welcome',
    })
  })
  await charging.topup({ tenant: 'mix', amountPico: 100_000_000n, reference: 'mix-1' })
  expect(await charging.balance('mix')).toMatchObject({
    postedPico: '200000000',
    creditLimitPico: `${YUAN}`,
    availablePico: `${YUAN + 200_000_000n}`,
    giftPico: '100000000',
    paidPico: '100000000',
  })
  const [slice = ''] = await slicesOf(charging, 'gw-mix', [['wallet:mix', YUAN]])
  const record = sampleRecord(7, { gateway: 'gw-mix', tenant: 'mix', slice })
  const sell = BigInt(record.sellPico)
  expect(sell > 200_000_000n).toBe(true)
  expect(await charging.ingest({ gateway: 'gw-mix', records: [record] })).toMatchObject({ accepted: 1 })
  expect(await remaining(charging, 'mix')).toEqual({ 'grant:welcome': '0', 'topup:mix-1': '0' })
  expect(await account('1110:mix')).toBe(sell - 200_000_000n)
  expect([await account('2000:mix'), await account('2001:mix'), await account('2009:mix')]).toEqual([0n, 0n, 0n])
  const told = await charging.explain(record.id)
  const revenue = told.shares.find((share) => share.account.startsWith('4000:'))
  const tax = told.shares.find((share) => share.account === '2210')
  expect(BigInt(revenue?.amountPico ?? 0) + BigInt(tax?.amountPico ?? 0)).toBe(100_000_000n - sell)
  expect(-BigInt(tax?.amountPico ?? 0) < BigInt(record.taxPico)).toBe(true)
  expect(await charging.balance('mix')).toMatchObject({
    postedPico: `${200_000_000n - sell}`,
    paidPico: '0',
    giftPico: '0',
  })
  await coherent(charging)
})

function tokenDraw(slice: string, bucket: string, tokens: UsageRecord['tokens']): Draw {
  const amount =
    UNIT * BigInt(tokens.uncachedInput + tokens.cacheWrite + 4 * (tokens.output + tokens.reasoning)) +
    BigInt(tokens.cacheRead) * 100_000n
  return { kind: 'tokens', bucket, slice, held: `${amount}`, amount: `${amount}`, version: 'std@1', covered: tokens }
}

test('a package is earned as it is used up, to the pico, whatever the steps, and its tokens are in the books', async () => {
  await using own = await freshDatabase({ max: 6 })
  const charging = make(own)
  await charging.topup({ tenant: 'pack', amountPico: 100n * YUAN, reference: 'pack-1' })
  const gross = 7n * YUAN + 1n
  const net = BigInt('6603773584907')
  const quantity = 5_000n * UNIT + 3n
  const buy = () =>
    within(async (tx) => {
      const fee = await charging.chargeFee(tx, {
        tenant: 'pack',
        amountPico: gross,
        taxPercent: 6,
        reference: 'o1',
        memo: 'package',
        revenue: 'package',
      })
      const lot = await charging.grantLot(tx, {
        tenant: 'pack',
        unit: 'std',
        source: 'package',
        amount: quantity,
        reference: 'o1/1',
        netPico: net,
        memo: 'package',
      })
      return { fee: fee.booked, lot: lot.booked }
    }, own)
  expect(await buy()).toEqual({ fee: true, lot: true })
  expect(await buy()).toEqual({ fee: false, lot: false })
  expect(await account('2010:pack', own)).toBe(-net)
  expect(await account('8010:pack/std', own)).toBe(-quantity)
  const [wallet = '', tokens = ''] = await slicesOf(charging, 'gw-p', [
    ['wallet:pack', YUAN],
    ['tokens:pack/std', quantity],
  ])
  for (let n = 0; n < 12; n++) {
    const all = { ...NO_TOKENS, uncachedInput: 50 + n, cacheRead: n, output: 20 + n }
    const record = sampleRecord(n, {
      gateway: 'gw-p',
      tenant: 'pack',
      slice: wallet,
      tokens: all,
      sellPico: '0',
      taxPico: '0',
      draws: [tokenDraw(tokens, 'tokens:pack/std', all)],
    })
    expect(await charging.ingest({ gateway: 'gw-p', records: [record] })).toMatchObject({
      accepted: 1,
      quarantined: [],
    })
    const [lot] = (await charging.lots({ tenant: 'pack', limit: 9 })).filter((each) => each.source === 'package')
    expect(-(await account('2010:pack', own))).toBe(net - (lot?.recognised ?? 0n))
  }
  await coherent(charging)
  // The rest of a package that is cancelled becomes breakage: earned, broken and deferred are always the price without tax.
  await charging.close({ gateway: 'gw-p', journal: JOURNAL, slice: tokens, records: 12 })
  const cancel = () =>
    within((tx) => charging.revokeLot(tx, { lotReference: 'o1/1', reference: 'c1', memo: 'cancelled' }), own)
  const revoked = await cancel()
  expect(revoked.held).toBe(0n)
  expect(await cancel()).toEqual(revoked)
  expect(await account('2010:pack', own)).toBe(0n)
  expect((await account('4010:pack', own)) + (await account('4020:pack', own))).toBe(-net)
  expect(await account('4010:pack', own)).toBe(-revoked.recognised)
  const back = (gross * revoked.remaining) / revoked.granted
  const refund = { feeReference: 'o1', amountPico: back, reference: 'c1', memo: 'cancelled' }
  expect(await within((tx) => charging.refundFee(tx, refund), own)).toMatchObject({ booked: true })
  expect(await within((tx) => charging.refundFee(tx, refund), own)).toMatchObject({ booked: false })
  expect(await charging.balance('pack')).toMatchObject({ paidPico: `${100n * YUAN - gross + back}` })
  await expect(
    within((tx) => charging.refundFee(tx, { ...refund, amountPico: gross, reference: 'c2' }), own),
  ).rejects.toMatchObject({ type: { code: 'amount_above_fee' } })
  await coherent(charging)
})

test('lots begin and expire by the clock; what gateways hold of an expired lot is theirs until they give it back', async () => {
  const charging = make()
  const gift = (reference: string, terms: { validFromMs?: number; expiresAtMs?: number }) =>
    within((tx) =>
      charging.grantLot(tx, {
        tenant: 'time',
        unit: 'CNY',
        source: 'gift',
        amount: 1_000_000_000n,
        reference,
        memo: 'gift',
        ...terms,
      }),
    )
  const now = clock.nowMs()
  await gift('short', { expiresAtMs: now + DAY_MS })
  await gift('later', { validFromMs: now + DAY_MS })
  expect(await charging.balance('time')).toMatchObject({ postedPico: '1000000000' })
  const [slice = ''] = await slicesOf(charging, 'gw-time', [['wallet:time', 600_000_000n]])
  expect(await charging.expireLots(now)).toEqual({ begun: 0, expired: 0 })
  expect(await charging.expireLots(now + DAY_MS)).toEqual({ begun: 1, expired: 1 })
  // 400 of 1000 were free to expire before the other lot began.
  expect(await remaining(charging, 'time')).toMatchObject({ 'grant:later': '1000000000' })
  await coherent(charging)
  const record = sampleRecord(3, { gateway: 'gw-time', tenant: 'time', slice, completedAtMs: now + DAY_MS + 5 })
  expect(await charging.ingest({ gateway: 'gw-time', records: [record] })).toMatchObject({ accepted: 1 })
  await charging.close({ gateway: 'gw-time', journal: JOURNAL, slice, records: 1 })
  await charging.expireLots(now + DAY_MS)
  expect(await remaining(charging, 'time')).toMatchObject({ 'grant:short': '0' })
  expect(await charging.expireLots(now + DAY_MS)).toEqual({ begun: 0, expired: 0 })
  await coherent(charging)
})

test('caps and reservations are filled per period from their definition, and a record draws on them or is kept aside', async () => {
  await using own = await freshDatabase({ max: 6 })
  const charging = make(own)
  const minute = Math.floor(START_MS / 60_000)
  const clockAt = clock.nowMs()
  clock.advance(0)
  await charging.topup({ tenant: 'cap', amountPico: 10n * YUAN, reference: 'cap-1' })
  const definition = { tenant: 'cap', unit: 'CNY', amount: 2n * YUAN, validFromMs: 0, validToMs: null } as const
  const terms = { services: ['babbler'], window: null, overflow: 'next' } as const
  const put = (amount: bigint) =>
    within(
      async (tx) => [
        await charging.putDefinition(tx, {
          ...definition,
          amount,
          id: 'cap:key/cap-1/day',
          kind: 'cap',
          period: 'day',
        }),
        await charging.putDefinition(tx, {
          ...definition,
          id: 'throughput:s1/money',
          kind: 'throughput',
          period: 'minute',
          terms: { ...terms, services: ['babbler'] },
        }),
      ],
      own,
    )
  expect(await put(2n * YUAN)).toEqual(['created', 'created'])
  expect(await put(2n * YUAN)).toEqual(['unchanged', 'unchanged'])
  const day = new Date(clockAt + 8 * 3_600_000).toISOString().slice(0, 10)
  const cap = `cap:key/cap-1/day@${day}`
  const { epoch } = await charging.register({ gateway: 'gw-cap', journal: JOURNAL })
  const ask = (seq: number, bucket: string, amount: bigint) =>
    charging.grant({ gateway: 'gw-cap', epoch, seq, bucket, min: `${amount}`, want: `${amount}` })
  expect(await ask(1, 'cap:key/none/day@2026-11-25', 1n)).toEqual({ outcome: 'no_such_bucket' })
  expect(await ask(1, 'cap:key/cap-1/day@2020-01-01', 1n)).toEqual({ outcome: 'no_such_bucket' })
  expect(await ask(1, `tokens:cap/std`, 1n)).toEqual({ outcome: 'no_such_bucket' })
  const granted = await ask(1, cap, YUAN)
  const [capSlice, money, wallet] = [
    granted,
    await ask(2, `throughput:s1/money@${minute}`, YUAN),
    await ask(3, 'wallet:cap', YUAN),
  ].map((reply) => (reply.outcome === 'granted' ? reply.slice.id : JSON.stringify(reply)))
  expect(await ask(4, cap, 2n * YUAN)).toMatchObject({ outcome: 'insufficient_balance' })
  const plain = sampleRecord(0, {
    gateway: 'gw-cap',
    tenant: 'cap',
    slice: wallet ?? null,
    service: 'babbler',
    acceptedAtMs: clockAt,
  })
  const reserved = 5_000_000n
  const price = BigInt(plain.sellPico)
  const sell = price - reserved
  const draws = (amount: bigint): Draw[] => [
    {
      kind: 'cap',
      bucket: cap,
      slice: capSlice ?? '',
      held: plain.holdPico,
      amount: `${amount}`,
      version: null,
      covered: null,
    },
    {
      kind: 'throughput',
      bucket: `throughput:s1/money@${minute}`,
      slice: money ?? '',
      held: plain.holdPico,
      amount: `${reserved}`,
      version: null,
      covered: null,
    },
  ]
  const tax = sell - (sell * 100n * 2n + 106n) / 212n
  const record = { ...plain, sellPico: `${sell}`, taxPico: `${tax}`, draws: draws(sell) }
  const bad = (id: number, change: Partial<UsageRecord>): UsageRecord => ({
    ...record,
    ...change,
    id: sampleRecord(id).id,
  })
  const reply = await charging.ingest({
    gateway: 'gw-cap',
    records: [
      record,
      bad(90, { draws: draws(sell - 1n) }),
      bad(91, { acceptedAtMs: clockAt + 2 * DAY_MS }),
      bad(92, { draws: draws(sell).map((draw) => ({ ...draw, bucket: 'wallet:other' })) }),
      bad(93, { draws: draws(sell).map((draw) => ({ ...draw, held: '1' })) }),
      bad(94, { draws: draws(sell).map((draw) => ({ ...draw, slice: record.slice ?? '' })) }),
      bad(95, { payer: 'boss' }),
    ],
  })
  expect(reply.accepted).toBe(1)
  expect(reply.quarantined.map(({ reason }) => reason)).toEqual([
    'cap_is_not_sell',
    'draw_of_other_period',
    'slice_of_other_bucket',
    'draw_above_hold',
    'slice_twice',
    'not_shared',
  ])
  for (const { id } of await charging.quarantine({ limit: 9 }))
    await charging.dismiss({ id, by: 'test', reason: 'made to be wrong' })
  const find = async () => (await charging.buckets({ tenant: 'cap' })).find(({ id }) => id === cap)
  expect(await find()).toMatchObject({ posted: 2n * YUAN - sell, escrowed: YUAN - sell })
  await put(3n * YUAN)
  expect(await find()).toMatchObject({ posted: 3n * YUAN - sell })
  // Lowered below what is held, a cap keeps what gateways hold.
  await put(1n)
  expect(await find()).toMatchObject({ posted: YUAN - sell, escrowed: YUAN - sell })
  await coherent(charging)
  const { means, caps } = await charging.funding(own)
  expect(caps.get('key/cap-1')).toEqual([
    { id: 'cap:key/cap-1/day', scope: 'key', bucket: 'cap:key/cap-1/day', period: 'day', limitPico: '1' },
  ])
  expect(means.get('cap')?.map(({ kind, id }) => [kind, id])).toEqual([
    ['throughput', 'throughput:s1'],
    ['wallet', 'wallet:cap'],
  ])
})

test('a member pays with what its owner shares, while it is shared and ten minutes longer', async () => {
  const charging = make()
  await charging.topup({ tenant: 'boss', amountPico: 10n * YUAN, reference: 'boss-1' })
  const now = clock.nowMs()
  await within((tx) => charging.putShare(tx, { owner: 'boss', member: 'kid', fromMs: now }))
  await within((tx) => charging.putShare(tx, { owner: 'boss', member: 'kid', fromMs: now }))
  expect((await charging.funding(database)).means.get('kid')).toEqual([
    { kind: 'wallet', id: 'wallet:kid', bucket: 'wallet:kid', payer: 'kid' },
    { kind: 'wallet', id: 'wallet:boss', bucket: 'wallet:boss', payer: 'boss' },
  ])
  await within((tx) => charging.endShare(tx, { owner: 'boss', member: 'kid', atMs: now + 1000 }))
  const [slice = ''] = await slicesOf(charging, 'gw-kid', [['wallet:boss', YUAN]])
  const at = (n: number, acceptedAtMs: number, payer = 'boss') =>
    sampleRecord(n, { gateway: 'gw-kid', tenant: 'kid', payer, slice, acceptedAtMs })
  const reply = await charging.ingest({
    gateway: 'gw-kid',
    records: [at(501, now), at(502, now + 600_999), at(503, now + 601_000), at(504, now - 60_001), at(505, now, 'kid')],
  })
  expect(reply).toMatchObject({
    accepted: 2,
    quarantined: [{ reason: 'not_shared' }, { reason: 'not_shared' }, { reason: 'slice_of_other_tenant' }],
  })
  for (const { id } of await charging.quarantine({ limit: 9 }))
    await charging.dismiss({ id, by: 'test', reason: 'made to be wrong' })
  expect(await charging.balance('kid')).toMatchObject({ postedPico: '0' })
  await coherent(charging)
})

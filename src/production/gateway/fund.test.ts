import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Means, SpendCap } from '#contract'
import { NO_TOKENS, Problem } from '#kernel'
import { split } from '#metering'
import { meansOf } from './draws.ts'
import type { Funds } from './fund.ts'
import {
  MINUTE,
  MOST,
  UNITS,
  atMs,
  costOf,
  flat,
  fundingStage,
  reserved,
  rich,
  sell,
  std,
  table,
  tokens,
  wallet,
} from './simulated-funding.ts'
import type { Given } from './simulated-funding.ts'

let stage: Awaited<ReturnType<typeof fundingStage>>
beforeAll(async () => {
  stage = await fundingStage()
})
afterAll(() => stage[Symbol.asyncDispose]())

const refusal = async (given: Given): Promise<Problem> => {
  const outcome = await stage.funded(given)
  if (outcome instanceof Problem) return outcome
  throw new Error('was funded')
}
const success = async (given: Given): Promise<Funds> => {
  const outcome = await stage.funded(given)
  if (outcome instanceof Problem) throw outcome
  return outcome
}
const amounts = (funds: Funds) => [
  ...funds.parts.map((part) => [part.kind, part.hold.amount]),
  ['wallet', funds.wallet.amount],
]
const giveBack = (funds: Funds) =>
  [funds.wallet, ...funds.parts.map((part) => part.hold)].forEach((hold) => hold.void())

test('tokens go as far as they go, and the wallet holds for the rest', async () => {
  const means = [tokens, wallet]
  const whole = await success({ means, tables: [std], filled: { ...rich, 'tokens:t': UNITS } })
  expect(amounts(whole)).toEqual([
    ['tokens', UNITS],
    ['wallet', 0n],
  ])
  expect(whole.wallet.slice).toBeNull()
  const part = await success({ means, tables: [std], filled: { ...rich, 'tokens:t': 40n } })
  expect(amounts(part)).toEqual([
    ['tokens', 40n],
    ['wallet', MOST],
  ])
  const none = await success({ means, tables: [std], filled: { ...rich, 'tokens:t': 0n } })
  expect(amounts(none)).toEqual([['wallet', MOST]])
  for (const funds of [whole, part, none]) giveBack(funds)
})

test('a reservation pays for all or nothing; what does not fit overflows or is refused until it is refilled', async () => {
  const means = [reserved(), wallet]
  const bucket = `throughput:r${MINUTE}`
  const fits = await success({ means, tables: [std], filled: { ...rich, [bucket]: UNITS } })
  expect(amounts(fits)).toEqual([
    ['throughput', UNITS],
    ['wallet', 0n],
  ])
  const overflows = await success({ means, tables: [std], filled: { ...rich, [bucket]: UNITS - 1n } })
  expect(amounts(overflows)).toEqual([['wallet', MOST]])
  for (const funds of [fits, overflows]) giveBack(funds)
  const filled = { ...rich, [bucket]: UNITS - 1n }
  const refused = await refusal({ means: [reserved({ overflow: 'reject' }), wallet], tables: [std], filled })
  expect(refused.type).toMatchObject({ code: 'reservation_exhausted', status: 429 })
  expect(refused.params).toEqual({ retryAfterMs: 30_000 })
})

test('reserved money pays first and in part, unless it may not overflow', async () => {
  const money = { dimensions: [{ bucket: 'throughput:r', unit: 'CNY' as const }] }
  const filled = { ...rich, [`throughput:r${MINUTE}`]: 100n }
  const part = await success({ means: [reserved(money), wallet], filled })
  expect(amounts(part)).toEqual([
    ['reserved_money', 100n],
    ['wallet', MOST - 100n],
  ])
  giveBack(part)
  const refused = await refusal({ means: [reserved({ ...money, overflow: 'reject' }), wallet], filled })
  expect(refused.type.code).toBe('reservation_exhausted')
})

test('a reservation works in its hours, for its services and while it is valid; a window may go past midnight', async () => {
  const filled = { ...rich, [`throughput:r${MINUTE}`]: UNITS }
  const pays = async (over: Partial<Means & { kind: 'throughput' }>) => {
    const funds = await success({ means: [reserved(over), wallet], tables: [std], filled })
    giveBack(funds)
    return funds.parts.length === 1
  }
  expect(await pays({ window: { fromMinute: 480, toMinute: 481 } })).toBe(true)
  expect(await pays({ window: { fromMinute: 481, toMinute: 961 } })).toBe(false)
  expect(await pays({ window: { fromMinute: 1320, toMinute: 481 } })).toBe(true)
  expect(await pays({ window: { fromMinute: 1320, toMinute: 480 } })).toBe(false)
  expect(await pays({ services: ['other'] })).toBe(false)
  expect(await pays({ validToMs: atMs })).toBe(false)
  expect(await pays({ validFromMs: atMs + 1 })).toBe(false)
})

test('a cap refuses what the wallet could pay, says whose it is and when it resets, and takes nothing', async () => {
  const caps: SpendCap[] = [
    { id: 'd', scope: 'key', bucket: 'cap:d', period: 'day', limitPico: '0' },
    { id: 'm', scope: 'project', bucket: 'cap:m', period: 'month', limitPico: '0' },
  ]
  const filled = { ...rich, 'cap:d@2026-11-25': MOST, 'cap:m@2026-11': MOST }
  const funds = await success({ means: [wallet], caps, filled })
  expect(amounts(funds)).toEqual([
    ['cap', MOST],
    ['cap', MOST],
    ['wallet', MOST],
  ])
  giveBack(funds)
  const before = stage.holds.stats().outstandingHolds
  const refused = await refusal({ means: [wallet], caps, filled: { ...filled, 'cap:m@2026-11': MOST - 1n } })
  expect(refused.type).toMatchObject({ code: 'spend_cap_reached', status: 402 })
  expect(refused.params).toEqual({ scope: 'project', period: 'month', resetsAt: '2026-11-30T16:00:00.000Z' })
  expect(stage.holds.stats().outstandingHolds).toBe(before)
})

test('in arrears only what packages and reservations cover entirely is served', async () => {
  const given = { means: [tokens, wallet], tables: [std], status: 'restricted' } as const
  const funds = await success({ ...given, filled: { ...rich, 'tokens:t': UNITS } })
  giveBack(funds)
  const refused = await refusal({ ...given, filled: { ...rich, 'tokens:t': UNITS - 1n } })
  expect(refused.type).toMatchObject({ code: 'account_restricted', status: 402 })
})

test('another’s wallet pays where the own has not enough, and the record says so', async () => {
  const shared: Means = { kind: 'wallet', id: 'o', bucket: 'wallet:owner', payer: 'owner' }
  const funds = await success({ means: [wallet, shared], filled: { 'wallet:t': 1n, 'wallet:owner': MOST } })
  expect(funds.payer).toBe('owner')
  giveBack(funds)
  const refused = await refusal({ means: [wallet, shared], filled: { 'wallet:t': 1n, 'wallet:owner': 2n } })
  expect(refused.type.code).toBe('insufficient_balance')
  expect(refused.params).toMatchObject({ available: '0.000000000001' })
})

test('what nobody can pay for as a whole is paid for as far as it goes, by whoever reaches further', async () => {
  const short = { leastOutput: 10, tables: [std] }
  const shared: Means = { kind: 'wallet', id: 'o', bucket: 'wallet:owner', payer: 'owner' }
  const funds = async (given: Omit<Given, 'leastOutput' | 'tables'>) => {
    const found = await success({ ...short, ...given })
    giveBack(found)
    return [found.outputBound, found.payer, ...amounts(found).flat()]
  }
  const poor = costOf(20)
  expect(await funds({ means: [wallet], filled: { 'wallet:t': poor + 7n } })).toEqual([
    20,
    undefined,
    'wallet',
    poor + 7n,
  ])
  // Another's wallet pays for the whole before the own one pays for less.
  const filled = { 'wallet:t': poor, 'wallet:owner': MOST }
  expect(await funds({ means: [wallet, shared], filled })).toEqual([50, 'owner', 'wallet', MOST])
  const tokensFor30 = { ...filled, 'wallet:owner': 0n, 'tokens:t': 130n }
  expect(await funds({ means: [tokens, wallet], filled: tokensFor30 })).toEqual([
    30,
    undefined,
    'tokens',
    130n,
    'wallet',
    0n,
  ])
  const money = reserved({ dimensions: [{ bucket: 'throughput:r', unit: 'CNY' }] })
  const both = { 'wallet:t': poor, [`throughput:r${MINUTE}`]: 80n }
  expect(await funds({ means: [money, wallet], filled: both })).toEqual([
    ...[30, undefined, 'reserved_money', 80n],
    ...['wallet', poor],
  ])
  const caps: SpendCap[] = [{ id: 'd', scope: 'key', bucket: 'cap:d', period: 'day', limitPico: '0' }]
  const capped = { ...rich, 'cap:d@2026-11-25': costOf(12) }
  expect((await funds({ means: [wallet], caps, filled: capped }))[0]).toBe(12)
  const refused = await refusal({ ...short, means: [wallet], filled: { 'wallet:t': costOf(10) - 1n } })
  expect(refused.type.code).toBe('insufficient_balance')
  expect(stage.holds.stats().outstandingHolds).toBe(0)
})

test('without a table, a version in force or a weight nothing is free: the next means pays', async () => {
  const filled = { ...rich, 'tokens:t': 10n ** 6n }
  const expired = { ...std, versions: std.versions.map((version) => ({ ...version, validToMs: atMs })) }
  const other = { ...std, versions: std.versions.map((version) => ({ ...version, weights: [] })) }
  for (const tables of [[], [expired], [other], [table('std', flat(0n))]]) {
    const funds = await success({ means: [tokens, wallet], tables, filled })
    expect(amounts(funds)).toEqual([['wallet', MOST]])
    giveBack(funds)
  }
  expect((await refusal({ means: [tokens], filled })).type.code).toBe('means_exhausted')
})

test('a class without a weight is free in a reservation that weighs the others', async () => {
  const burndown = table('std', { ...flat(1n, 4n), cacheRead: '0' })
  const filled = { ...rich, [`throughput:r${MINUTE}`]: 300n }
  const funds = await success({ means: [reserved(), wallet], tables: [burndown], filled })
  expect(amounts(funds)).toEqual([
    ['throughput', 300n],
    ['wallet', 0n],
  ])
  const [hold] = meansOf(funds.parts)
  const used = { ...NO_TOKENS, cacheRead: 60, uncachedInput: 40, output: 50 }
  expect(hold && split(used, sell, [hold])).toEqual({ shares: [{ amount: 240n, covered: used }], rest: 0n })
  giveBack(funds)
})

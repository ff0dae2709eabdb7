import { afterAll, beforeAll, expect, test } from 'vitest'
import { JOURNAL, YUAN, expectCoherent } from '../../../test/charging.ts'
import { BUYER, openShop } from '../../../test/ordering.ts'
import type { Shop } from '../../../test/ordering.ts'

const DAY = 24 * 3_600_000
let shop: Shop
let grants = 0
beforeAll(async () => {
  shop = await openShop(['acme', 'globex', 'fire', 'azure'])
  await shop.charging.register({ gateway: 'gw', journal: JOURNAL })
})
afterAll(() => shop[Symbol.asyncDispose]())

/** What a gateway gets of a bucket: the amount that was granted, or why none was. */
async function take(bucket: string, want: bigint, min = want): Promise<bigint | string> {
  const request = { gateway: 'gw', epoch: 1, seq: (grants += 1), bucket, min: `${min}`, want: `${want}` }
  const reply = await shop.charging.grant(request)
  return reply.outcome === 'granted' ? BigInt(reply.slice.amount) : reply.outcome
}

const minuteNow = () => Math.floor(shop.clock.nowMs() / 60_000)

test('Alibaba’s day: bought at 10:00 it gives its tokens each minute until midnight, and not a minute longer', async () => {
  await shop.offer({
    id: 'tpm',
    kind: 'throughput-tpm',
    services: ['max'],
    input: { unitTokens: 10_000, minUnits: 20, priceYuan: '121' },
    output: { unitTokens: 1_000, minUnits: 20, priceYuan: '36.29' },
    term: { per: 'day', min: 1, max: 30 },
    dayCutoff: '22:00',
  })
  await shop.pay('acme', 6_049n * YUAN)
  const order = await shop.buy('acme', 'tpm', { inputTpm: 200_000, outputTpm: 100_000 })
  expect(order).toMatchObject({ state: 'completed', grossPico: `${6_049n * YUAN}` })
  expect(await shop.charging.balance('acme')).toMatchObject({ postedPico: '0' })
  const bucket = (dimension: string, minute: number) =>
    `throughput:${order.subscription ?? ''}.1/${dimension}@${minute}`
  expect(await take(bucket('in', minuteNow()), 200_000_000_000n)).toBe(200_000_000_000n)
  expect(await take(bucket('in', minuteNow()), 1n)).toBe('insufficient_balance')
  expect(await take(bucket('out', minuteNow()), 100_000_000_000n)).toBe(100_000_000_000n)
  shop.clock.advance(14 * 3_600_000 - 60_000)
  expect(await take(bucket('in', minuteNow()), 1n)).not.toBe('no_such_bucket')
  shop.clock.advance(60_000)
  expect(await take(bucket('in', minuteNow()), 1n)).toBe('no_such_bucket')
  await expectCoherent(shop.charging)
})

test('Fireworks’ minute: what is reserved and not used is gone with it, and what is beyond it is not there (7)', async () => {
  await shop.offer({
    id: 'spend',
    kind: 'spend-per-minute',
    services: ['max'],
    minYuanPerMinute: '1',
    stepYuanPerMinute: '1',
    term: { per: 'hour', min: 1, max: 24 },
  })
  await shop.pay('fire', 600n * YUAN)
  const order = await shop.buy('fire', 'spend', { yuanPerMinute: '10' })
  expect(order).toMatchObject({ state: 'completed', grossPico: `${600n * YUAN}` })
  const bucket = () => `throughput:${order.subscription ?? ''}.1/cny@${minuteNow()}`
  // Twelve are wanted: ten are covered, two are for the next means.
  expect(await take(bucket(), 12n * YUAN)).toBe('insufficient_balance')
  expect(await take(bucket(), 10n * YUAN)).toBe(10n * YUAN)
  expect(await take(bucket(), 2n * YUAN)).toBe('insufficient_balance')
  shop.clock.advance(60_000)
  expect(await take(bucket(), 3n * YUAN)).toBe(3n * YUAN)
  shop.clock.advance(60_000)
  expect(await take(bucket(), 17n * YUAN)).toBe('insufficient_balance')
  expect(await take(bucket(), 10n * YUAN)).toBe(10n * YUAN)
  await expectCoherent(shop.charging)
})

test('Azure’s quarter of an hour: ended after it, three quarters of the hour go back and the units are gone (8)', async () => {
  await shop.offer({
    id: 'ptu',
    kind: 'provisioned',
    refund: 'unused',
    services: ['max'],
    unitTokens: 3_000,
    minUnits: 15,
    stepUnits: 5,
    burndown: {
      uncachedInputUnits: '1',
      cacheWriteUnits: '1',
      cacheReadUnits: '0',
      outputUnits: '4',
      reasoningUnits: '4',
    },
    hourPriceYuan: '1',
    term: { per: 'minute', min: 1, max: 1_440 },
  })
  await shop.pay('azure', 15n * YUAN)
  const { subscription } = await shop.buy('azure', 'ptu', { units: 15, term: 60 })
  const bucket = () => `throughput:${subscription ?? ''}.1/ptu@${minuteNow()}`
  expect(await take(bucket(), 45_000_000_000n)).toBe(45_000_000_000n)
  shop.clock.advance(15 * 60_000)
  const order = await shop.ordering.cancel(
    { tenant: 'azure', subscription: subscription ?? '', when: 'now', reason: 'done', idempotencyKey: shop.key() },
    BUYER,
  )
  expect(order).toMatchObject({ state: 'completed', refundPico: `${(1125n * YUAN) / 100n}` })
  shop.clock.advance(60_000)
  expect(await take(bucket(), 1n)).toBe('no_such_bucket')
  await expectCoherent(shop.charging)
})

test('days that have begun are paid, and more tokens per minute begin at once', async () => {
  await shop.offer({
    id: 'bedrock',
    kind: 'throughput-tpm',
    refund: 'unused',
    services: ['max'],
    input: { unitTokens: 1_000, minUnits: 100, priceYuan: '0.3' },
    output: { unitTokens: 1_000, minUnits: 10, priceYuan: '3' },
    term: { per: 'day', min: 30, max: 90 },
  })
  await shop.pay('globex', 10_000n * YUAN)
  const { subscription, grossPico } = await shop.buy('globex', 'bedrock', { inputTpm: 100_000, outputTpm: 10_000 })
  expect(grossPico).toBe(`${1_800n * YUAN}`)
  shop.clock.advance(9 * DAY)
  const more = await shop.ordering.change(
    {
      tenant: 'globex',
      subscription: subscription ?? '',
      configuration: { inputTpm: 200_000, outputTpm: 10_000 },
      idempotencyKey: shop.key(),
    },
    BUYER,
  )
  expect(more).toMatchObject({ state: 'completed', refundPico: `${1_260n * YUAN}`, grossPico: `${1_890n * YUAN}` })
  const bucket = (seq: number) => `throughput:${subscription ?? ''}.${seq}/in@${minuteNow()}`
  shop.clock.advance(60_000)
  expect(await take(bucket(1), 1n)).toBe('no_such_bucket')
  expect(await take(bucket(2), 200_000_000_000n)).toBe(200_000_000_000n)
  await expectCoherent(shop.charging)
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { OrderView, QuoteView, SubscriptionView } from '#contract'
import { controlFixture } from '../../../test/control.ts'
import type { ControlFixture } from '../../../test/control.ts'
import { openCommandLine } from '../../../test/command-line.ts'
import type { CommandLine } from '../../../test/command-line.ts'

let it: ControlFixture
let line: CommandLine
beforeAll(async () => {
  it = await controlFixture()
  line = await openCommandLine(it)
  const tables =
    '{ tables: [{ id: standard, versions: [{ validFrom: 2026-01-01, weights: [{ service: babbler, perToken: { uncachedInput: 1, output: 4 } }] }] }] }'
  await it.catalogue.apply({ text: tables, fileName: 'tables.yaml', dryRun: false })
})
afterAll(async () => {
  await line[Symbol.asyncDispose]()
  await it[Symbol.asyncDispose]()
})

const OFFER = {
  ...{ id: 'pack', kind: 'package', taxPercent: 6, table: 'standard', units: '10', priceYuan: '2.5' },
  ...{ valid: { days: 30 }, refund: 'unused', maxMembers: 1 },
}

const cli = (args: readonly string[], input = '') => line.run(args, { input })

const paid = async () => (await it.charging.balance('acme')).paidPico

test('an offer is declared, quoted, ordered once, shared, and cancelled with its refund', async () => {
  expect(await cli(['offers', 'put', '-f', '-'], JSON.stringify(OFFER))).toMatchObject({
    code: 0,
    out: 'pack is launched\n',
  })
  expect((await cli(['offers', '--tenant', 'acme'])).out).toMatch(/pack +\S.* +package +launched +¥2.5/)
  const quoted = await cli(['quote', 'pack', '--tenant', 'acme', '--quantity', '2', '-o', 'json'])
  const { id: quoteId, grossPico } = QuoteView.parse(JSON.parse(quoted.out))
  expect(grossPico).toBe('5000000000000')
  expect((await cli(['quote', 'pack', '--tenant', 'acme'])).out).toContain('10 standard')

  const before = BigInt((await paid()) ?? 0)
  const buy = ['order', quoteId, '--tenant', 'acme', '--key', 'p-1', '-o', 'json']
  const [made, again] = [await cli(buy), await cli(buy)]
  const order = OrderView.parse(JSON.parse(made.out))
  expect(order).toMatchObject({ state: 'completed', grossPico })
  expect(OrderView.parse(JSON.parse(again.out)).id).toBe(order.id)
  expect(before - BigInt((await paid()) ?? 0)).toBe(BigInt(grossPico))
  expect((await cli(['order', 'list', '--tenant', 'acme'])).out).toContain(order.id)
  expect((await cli(['order', 'show', order.id])).out).toContain('¥5 paid')

  const subscription = order.subscription ?? ''
  const share = await cli(['subscriptions', 'share', subscription, 'globex', '-o', 'json'])
  expect(share.code).toBe(0)
  expect(SubscriptionView.array().parse(JSON.parse(share.out))).toMatchObject([{ members: ['globex'] }])
  expect((await cli(['subscriptions', '--tenant', 'acme'])).out).toContain(subscription)
  const over = await cli(['cancel', subscription, '--key', 'c-1', '--reason', 'enough'])
  expect(over).toMatchObject({ code: 0, out: expect.stringContaining('¥5 refunded') as string })
  expect(BigInt((await paid()) ?? 0)).toBe(before)
  expect((await cli(['verify'])).out).toContain('the books agree')
})

test.each([
  [2, ['quote', 'pack']],
  [2, ['order', 'pack', '--tenant', 'acme']],
  [2, ['order', 'eat', 'ord_1']],
  [2, ['order', 'pack', '--tenant', 'acme', '--key', 'k', '--quantity', '0']],
  [2, ['cancel', 'sub_1', '--key', 'k']],
  [2, ['cancel', 'sub_1', '--key', 'k', '--reason', 'r', '--when', 'later']],
  [2, ['subscriptions', 'renew', 'sub_1', 'perhaps']],
  [3, ['offers', 'put', '-f', '-']],
  [4, ['quote', 'nothing', '--tenant', 'acme']],
  [4, ['order', 'show', 'ord_none']],
  [4, ['subscriptions', 'show', 'sub_none']],
] as const)('ends with %i: tokenfactory %j', async (expected, args) => {
  expect(await cli(args)).toMatchObject({ code: expected, out: '' })
})

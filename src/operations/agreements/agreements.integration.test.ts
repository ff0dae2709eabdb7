import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseYuan } from '#kernel'
import { balances } from '#ledger'
import { manualClock } from '#platform/clock'
import { freshDatabase } from '../../../test/database.ts'
import type { FreshDatabase } from '../../../test/database.ts'
import { createAgreements } from './index.ts'
import type { Agreements } from './index.ts'

const at = (text: string) => Date.parse(`${text}+08:00`)
const DAY = 86_400_000
const ANN = { by: 'ann' }
const BOB = { by: 'bob' }
const HASH = 'a'.repeat(64)
const TENDER = readFileSync(new URL('../../../examples/tender.yaml', import.meta.url), 'utf8')
/** Codes that pass the check, of nobody. */
const CODES = ['91350100M000100Y43', '91640100AAAAAAAA0', '91640100BBBBBBBB0', '91640100CCCCCCCC0']

let database: FreshDatabase
const clock = manualClock(at('2026-04-01T09:00'))
beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())

const make = (): Agreements => createAgreements({ database, clock })

/** A symbol that makes 17 symbols a code. */
function coded(seventeen: string): string {
  const symbols = '0123456789ABCDEFGHJKLMNPQRTUWXY'
  const sum = Array.from(seventeen).reduce((total, symbol, i) => total + symbols.indexOf(symbol) * (3 ** i % 31), 0)
  return seventeen + symbols.charAt((31 - (sum % 31)) % 31)
}

const withCodes = (text: string): string =>
  ['teamsun', 'lexun', 'hubei-bigdata', 'qingxin'].reduce(
    (all, id, i) =>
      all.replace(`{ id: ${id},`, `{ id: ${id}, uscc: ${i === 0 ? (CODES[0] ?? '') : coded(CODES[i] ?? '')},`),
    text,
  )

test('the tender goes from its announcement to capacity that gateways may use, and every step is on record', async () => {
  const agreements = make()
  const { project, created } = await agreements.applyTender(TENDER, 'tender.yaml', ANN)
  expect(created).toBe(true)
  expect(project.estimate).toMatchObject({
    netPico: `${parseYuan('16451000000')}`,
    grossPico: `${parseYuan('17438060000')}`,
  })
  expect(project.packages.map(({ state }) => state)).toEqual([...Array(5).fill('open'), ...Array(6).fill('pending')])
  expect(project.packages.reduce((sum, { ceiling }) => sum + BigInt(ceiling.netPico), 0n)).toBe(
    parseYuan('16451000000'),
  )
  expect(project.state).toBe('bidding')
  expect((await agreements.applyTender(TENDER, 'tender.yaml', ANN)).created).toBe(false)

  const id = 'ningxia-2026/p1'
  const winners = ['teamsun', 'lexun', 'hubei-bigdata', 'qingxin']
  for (const supplier of winners)
    await agreements.recordBid(id, { supplier, pricePico: parseYuan('1400000000'), documentHash: HASH }, ANN)
  await expect(
    agreements.recordBid(id, { supplier: 'lexun', pricePico: 1n, documentHash: HASH }, ANN),
  ).rejects.toMatchObject({ type: { code: 'not_allowed_by_terms' } })
  await expect(agreements.evaluate(id, { lexun: { price: 1 } }, ANN, 'half')).rejects.toMatchObject({
    type: { code: 'not_allowed_by_terms' },
  })
  const scores = Object.fromEntries(winners.map((supplier, i) => [supplier, { price: 30_000 - i, quality: 60_000 }]))
  await agreements.evaluate(id, scores, ANN, 'scored by the committee')
  const shares = [400_000, 300_000, 200_000, 100_000].map((ppm, i) => ({ supplier: winners[i] ?? '', ppm }))
  await expect(agreements.publish(id, shares.slice(1), ANN, 'x')).rejects.toThrow('60 %')
  await agreements.publish(id, shares, ANN, 'ranked')
  await expect(agreements.award(id, BOB, 'too soon')).rejects.toMatchObject({ type: { code: 'not_allowed_by_terms' } })
  await agreements.object(id, { text: 'the scores are wrong', raisedBy: 'lexun' })
  clock.advance(3 * DAY)
  await expect(agreements.award(id, BOB, 'an objection is open')).rejects.toThrow('not decided')
  await agreements.decide({ id, seq: 1, decision: 'rejected', reason: 'they are not' }, BOB)
  await expect(agreements.award(id, ANN, 'by the proposer')).rejects.toMatchObject({ type: { code: 'same_person' } })
  expect((await agreements.award(id, BOB, 'awarded')).state).toBe('awarded')

  const validFromMs = clock.nowMs()
  const drafted = []
  for (const supplier of winners)
    drafted.push(await agreements.draft({ package: id, supplier, validFromMs, validMonths: 72 }, ANN))
  const [first] = drafted
  await agreements.submit(first?.id ?? '', ANN, 'ready')
  await expect(agreements.sign(first?.id ?? '', ANN, 'x')).rejects.toMatchObject({ type: { code: 'same_person' } })
  await expect(agreements.sign(first?.id ?? '', BOB, 'x')).rejects.toThrow('credit code')
  await agreements.applyTender(withCodes(TENDER), 'tender.yaml', ANN)
  expect((await agreements.sign(first?.id ?? '', BOB, 'signed')).state).toBe('active')
  for (const { id: each } of drafted.slice(1)) {
    await agreements.submit(each, ANN, 'ready')
    await agreements.sign(each, BOB, 'signed')
  }
  expect(await agreements.package(id)).toMatchObject({ state: 'contracted' })

  const orders = await agreements.propose({ package: id, units: 100, reason: 'first call' }, ANN)
  expect(Object.fromEntries(orders.map(({ supplier, lots }) => [supplier, lots]))).toEqual({
    teamsun: 4,
    lexun: 3,
    'hubei-bigdata': 2,
    qingxin: 1,
  })
  const batch = orders[0]?.batch ?? ''
  await expect(agreements.issue(batch, ANN, 'x')).rejects.toMatchObject({ type: { code: 'same_person' } })
  const order = (await agreements.issue(batch, BOB, 'placed')).find((each) => each.supplier === 'teamsun')
  expect(order).toMatchObject({ state: 'issued', dueAtMs: at('2026-05-05T00:00'), endsAtMs: at('2031-04-04T00:00') })
  const own = order?.id ?? ''
  const supplier = order?.supplier ?? ''
  await expect(agreements.acknowledge(own, BOB, 'x', 'nobody')).rejects.toMatchObject({
    type: { code: 'unknown_supply_object' },
  })
  await agreements.acknowledge(own, BOB, 'seen', supplier)
  await agreements.startDelivery(own, BOB, 'begun', supplier)
  await agreements.stopClock(own, ANN, 'our site is not ready')
  clock.advance(2 * DAY)
  expect(await agreements.resumeClock(own)).toMatchObject({ dueAtMs: at('2026-05-07T00:00') })
  await agreements.deliver(own, 10, BOB, supplier)
  clock.advance(40 * DAY)
  const units = order?.units ?? 0
  const late = await agreements.deliver(own, units - 10, BOB, supplier)
  // Ten days: from the 7th to the 16th of May, each a thousandth of what was missing.
  expect(late).toMatchObject({ state: 'delivered', lateDays: 10 })
  expect(BigInt(late.latenessPico)).toBe(
    (BigInt(order?.amount.netPico ?? 0) * BigInt(units - 10) * 10n) / (BigInt(units) * 1000n),
  )
  expect((await agreements.supplyTerms()).lots).toEqual([])
  const revision = await agreements.revision()
  const accepted = await agreements.acceptCallOff(own, { reportHash: HASH, reason: 'passed' }, ANN)
  expect(accepted).toMatchObject({ state: 'inService', lot: { state: 'active', toMs: at('2031-04-04T00:00') } })
  expect(await agreements.revision()).toBeGreaterThan(revision)
  const terms = await agreements.supplyTerms()
  expect(terms.lots).toMatchObject([{ supplier, model: 'deepseek-chat', inputTokensPerMinute: units * 2_000_000 }])
  expect(terms.commitments.filter(({ terms: { kind } }) => kind === 'share')).toHaveLength(4)
  expect(accepted.history.map(({ to, by }) => [to, by])).toEqual([
    ['draft', 'ann'],
    ['issued', 'bob'],
    ['acknowledged', 'bob'],
    ['inDelivery', 'bob'],
    ['delivered', 'bob'],
    ['accepted', 'ann'],
    ['inService', 'ann'],
  ])
  expect((await agreements.project('ningxia-2026')).state).toBe('running')
  // Of kind usage: nothing is paid before it is used.
  expect(await balances(database)).toEqual([])

  const agreementId = accepted.agreement
  await agreements.suspend(agreementId, ANN, 'fails too often')
  expect(await agreements.supplyTerms()).toMatchObject({ lots: [] })
  const others = await agreements.propose({ package: id, units: 60, reason: 'from those who are left' }, ANN)
  expect(others.map((each) => each.supplier)).not.toContain(supplier)
  expect(others.reduce((sum, each) => sum + each.units, 0)).toBe(60)
  await agreements.resume(agreementId, BOB, 'mended')
  expect((await agreements.supplyTerms()).lots).toHaveLength(1)
  await agreements.revokeAcceptance(own, ANN, 'was not what was tested')
  expect((await agreements.supplyTerms()).lots).toEqual([])
  await expect(agreements.issue(others[0]?.batch ?? '', BOB, 'x')).rejects.toThrow('shares')
})

test('mistakes of a file are told with their places, and nothing is applied', async () => {
  const agreements = make()
  const wrong = TENDER.replace('id: ningxia-2026', 'id: other')
    .replace('method: open_tender', 'method: lottery')
    .replace('taxPercent: 6\nobjectionDays', 'taxPercent: 600\nobjectionDays')
  await expect(agreements.applyTender(wrong, 'tender.yaml', ANN)).rejects.toMatchObject({
    type: { code: 'invalid_tender_file' },
    message: expect.stringMatching(/tender\.yaml:10:9 method: .*tender\.yaml:13:13 taxPercent/s) as string,
  })
  await expect(agreements.project('other')).rejects.toMatchObject({ type: { code: 'unknown_supply_object' } })
  const dear = TENDER.replace('id: ningxia-2026', 'id: dear').replace(
    'ceilingYuan: 1495545454.50',
    'ceilingYuan: 1495545454.51',
  )
  await expect(agreements.applyTender(dear, 'tender.yaml', ANN)).rejects.toThrow('sum to more')
})

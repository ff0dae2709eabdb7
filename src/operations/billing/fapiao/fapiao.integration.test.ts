import { expect, test } from 'vitest'
import fc from 'fast-check'
import { NOVEMBER_MS, SELLER, billingFixture, expectDocumentsCoherent, recordsIn } from '../../../../test/billing.ts'
import { formatFen } from '../model/fen.ts'
import type { FapiaoGateway } from './gateway.ts'
import { FAPIAO_STATES, fapiaoMayBecome, flawOfRequest, isUscc } from './model.ts'
import type { FapiaoState } from './model.ts'
import { createFapiaoSimulator } from './simulator.ts'
import { fapiaosOf, setSimulatedQuota } from './store.ts'

const DAY_MS = 86_400_000

/** An issued invoice of a buyer that can have a special tax invoice. */
async function invoiced(fapiao?: FapiaoGateway) {
  const own = await billingFixture()
  const billing = fapiao ? own.billingWith({ fapiao }) : own.billing
  await billing.setBuyer('acme', { ...SELLER, name: '安客（上海）人工智能有限公司' }, 'test')
  const slice = await own.postpaid('acme', 100n)
  await own.charging.ingest({ gateway: 'gw-0', records: recordsIn(300, NOVEMBER_MS, slice) })
  own.clock.advance(30 * DAY_MS)
  const [invoice] = (await billing.run({ by: 'test' })).documents
  return { own, billing, document: invoice?.id ?? '', [Symbol.asyncDispose]: () => own[Symbol.asyncDispose]() }
}

test('a tax invoice is issued once with 20 digits, reversed by the red-letter procedure, and asked for anew', async () => {
  await using it = await invoiced()
  const { billing, document } = it
  const first = await billing.requestFapiao({ document, kind: 'special', by: 'test' })
  expect(first).toMatchObject({ state: 'issued', number: expect.stringMatching(/^26649\d{15}$/) })
  const { request } = first
  expect(flawOfRequest(request)).toBeUndefined()
  expect(flawOfRequest({ ...request, totals: { ...request.totals, tax: '9.99' } })).toBe(
    'the lines do not sum to the totals',
  )
  await expect(billing.requestFapiao({ document, kind: 'special', by: 'test' })).rejects.toMatchObject({
    type: { code: 'fapiao_exists' },
  })
  const reversed = await billing.reverseFapiao({ document, reason: 'wrong buyer', by: 'test' })
  expect(reversed).toMatchObject({ state: 'redIssued', redNumber: expect.stringMatching(/^\d{20}$/) })
  await expect(billing.reverseFapiao({ document, reason: 'again', by: 'test' })).rejects.toMatchObject({
    type: { code: 'fapiao_state' },
  })
  const second = await billing.requestFapiao({ document, kind: 'ordinary', by: 'test' })
  expect(second.state).toBe('issued')
  expect(new Set([first.number, reversed.redNumber, second.number]).size).toBe(3)
  expect(await fapiaosOf(it.own.database, document)).toHaveLength(2)
})

test('an exhausted quota fails, and asking again after it was raised succeeds', async () => {
  await using it = await invoiced()
  const { billing, document, own } = it
  await setSimulatedQuota(own.database, 0n)
  expect(await billing.requestFapiao({ document, kind: 'ordinary', by: 'test' })).toMatchObject({
    state: 'failed',
    failure: 'quota exhausted',
  })
  await setSimulatedQuota(own.database, 10n ** 12n)
  expect(await billing.requestFapiao({ document, kind: 'ordinary', by: 'test' })).toMatchObject({
    state: 'issued',
    failure: null,
  })
})

test('an answer that got lost is asked for again and is the same', async () => {
  const platform: { simulator?: FapiaoGateway } = {}
  let calls = 0
  const numbers: string[] = []
  const flaky: FapiaoGateway = {
    async issue(request) {
      if (!platform.simulator) throw new Error('no platform yet')
      const reply = await platform.simulator.issue(request)
      if (reply.outcome === 'issued') numbers.push(reply.number)
      return calls++ === 0 ? { outcome: 'unavailable', reason: 'timeout' } : reply
    },
    requestRed: async () => ({ outcome: 'unavailable', reason: 'timeout' }),
    redStatus: async () => ({ outcome: 'waiting' }),
    issueRed: async () => ({ outcome: 'unavailable', reason: 'timeout' }),
  }
  await using it = await invoiced(flaky)
  platform.simulator = createFapiaoSimulator(it.own)
  const { billing, document } = it
  expect(await billing.requestFapiao({ document, kind: 'ordinary', by: 'test' })).toMatchObject({
    state: 'requested',
    number: null,
  })
  const both = await Promise.all([billing.advanceFapiao({ document }), billing.advanceFapiao({ document })])
  expect(both.map((each) => each.number)).toEqual([numbers[0], numbers[0]])
  expect(new Set(numbers).size).toBe(1)
})

test('after a refusal and a credit, the kind and the parties are those of now, and the amount is what is left', async () => {
  await using it = await invoiced()
  const { billing, document, own } = it
  const { grossFen } = (await billing.document(document)).document
  await setSimulatedQuota(own.database, 0n)
  const refused = await billing.requestFapiao({ document, kind: 'ordinary', by: 'test' })
  expect(refused.state).toBe('failed')
  const credit = { reference: 'c', document, reason: 'slow answers', by: 'test' }
  await billing.credit({ ...credit, lines: [{ position: 1, grossFen: 1n }] })
  await billing.setBuyer('acme', { ...SELLER, name: '安客（北京）人工智能有限公司' }, 'test')
  await setSimulatedQuota(own.database, 10n ** 12n)
  const issued = await billing.requestFapiao({ document, kind: 'special', by: 'test' })
  expect(issued).toMatchObject({
    state: 'issued',
    kind: 'special',
    request: {
      kind: 'special',
      buyer: { name: '安客（北京）人工智能有限公司' },
      totals: { gross: formatFen(grossFen - 1n) },
    },
  })
  expect(issued.id).not.toBe(refused.id)
  await billing.credit({ ...credit, reference: 'rest' })
  await billing.reverseFapiao({ document, reason: 'credited', by: 'test' })
  await expect(billing.requestFapiao({ document, kind: 'special', by: 'test' })).rejects.toMatchObject({
    type: { code: 'no_fapiao_possible' },
  })
})

test('no money is paid back while a tax invoice says more than is left of its document', async () => {
  await using own = await billingFixture()
  const { billing, charging, clock } = own
  await billing.setBuyer('acme', { ...SELLER, name: '安客（上海）人工智能有限公司' }, 'test')
  const slice = await own.prepaid('acme', 100n)
  await charging.topup({ tenant: 'acme', amountPico: 10n ** 12n, reference: 'more' })
  const records = recordsIn(900, NOVEMBER_MS, slice)
  await charging.ingest({ gateway: 'gw-0', records })
  clock.advance(30 * DAY_MS)
  const [statement] = (await billing.run({ by: 'test' })).documents
  const document = statement?.id ?? ''
  await billing.requestFapiao({ document, kind: 'ordinary', by: 'test' })
  const refund = (reference: string) => billing.requestRefund({ reference, tenant: 'acme', amountFen: 20n, by: 'test' })
  expect(await refund('unused money')).toMatchObject({ state: 'requested' })
  for (const { id: usageId } of records.slice(0, 450))
    await charging.refundUsage({ usageId, by: 'test', reason: 'wrong model', reference: 'c' })
  // Before the credit note and after it.
  const refusal = { type: { code: 'fapiao_not_reversed' } }
  await expect(refund('too early')).rejects.toMatchObject(refusal)
  await expect(billing.payRefund({ reference: 'unused money', by: 'test' })).rejects.toMatchObject(refusal)
  clock.advance(31 * DAY_MS)
  const [credit] = (await billing.run({ by: 'test' })).documents
  await expect(refund('too early')).rejects.toMatchObject(refusal)
  await billing.reverseFapiao({ document, reason: 'corrected', by: 'test' })
  const anew = await billing.requestFapiao({ document, kind: 'ordinary', by: 'test' })
  expect(anew.request.totals.gross).toBe(formatFen((statement?.grossFen ?? 0n) + (credit?.grossFen ?? 0n)))
  expect(await refund('now')).toMatchObject({ state: 'requested' })
  expect(await billing.payRefund({ reference: 'unused money', by: 'test' })).toMatchObject({ state: 'paid' })
  await expectDocumentsCoherent(own)
})

test('what a platform would refuse is refused before it is asked', async () => {
  await using it = await invoiced()
  const { billing, document } = it
  const credit = await billing.credit({ reference: 'c', document, reason: 'test', by: 'test' })
  const request = (id: string) => billing.requestFapiao({ document: id, kind: 'ordinary', by: 'test' })
  await expect(request(document)).rejects.toMatchObject({ type: { code: 'no_fapiao_possible' } })
  await expect(request(credit.document.id)).rejects.toMatchObject({ type: { code: 'no_fapiao_possible' } })
  expect(['9164010035A1B2C3DH', '9164010035A1B2C3DX', '9164010035A1B2C3D', ''].map(isUscc)).toEqual([
    true,
    false,
    false,
    false,
  ])
})

test('whatever is asked of a tax invoice, only legal steps are taken, and a reversed one stays reversed (I15)', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...FAPIAO_STATES), { maxLength: 40 }), (wishes) => {
      let state: FapiaoState = 'requested'
      let issues = 0
      for (const wish of wishes) {
        if (!fapiaoMayBecome(state, wish)) continue
        if (wish === 'issued') issues += 1
        state = wish
      }
      expect(issues).toBeLessThanOrEqual(1)
      expect(FAPIAO_STATES.some((wish) => fapiaoMayBecome('redIssued', wish))).toBe(false)
    }),
  )
})

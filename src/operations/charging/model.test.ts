import fc from 'fast-check'
import { expect, test } from 'vitest'
import { balanced } from '#ledger'
import { arrivalOf, canonicalJson, isStorable } from './ingest/fingerprint.ts'
import { attemptCosts, columnsOf, flawOf, sortArrivals } from './ingest/model.ts'
import type { Known } from './ingest/model.ts'
import { quantile, rollUp, TTFT_BOUNDS_MS, ttftBucket } from './ingest/rollup.ts'
import { attemptEntries, isBilled, usageEntries } from './model.ts'
import type { UsageRecord } from '#contract'
import type { FiledSheet } from './charging.ts'
import { sampleRecord, sheetById, START_MS } from '../../../test/sample-usage.ts'
import { decideGrant } from './slices/model.ts'
import type { SliceRow } from './slices/store.ts'
import { rollupRanges } from './usage/model.ts'
import { misratingOf } from './verify/records.ts'
import { parsePriceSheet } from '#kernel'

const amount = fc.bigInt({ min: 0n, max: 10n ** 20n })

test('a grant is at least the minimum, never above what is available, and never above half of it unless it is tight', () => {
  fc.assert(
    fc.property(amount, amount, amount, (available, min, want) => {
      const decision = decideGrant({ available, min, want })
      expect(decision.outcome === 'refused').toBe(available < min)
      if (decision.outcome === 'refused') return
      expect(decision.amount >= min && decision.amount <= available).toBe(true)
      if (decision.tight) expect(decision.amount).toBe(min)
      else expect(decision.amount <= available / 2n).toBe(true)
      if (!decision.tight && want >= min) expect(decision.amount <= want).toBe(true)
    }),
  )
})

test('an empty wallet grants nothing that costs something', () => {
  expect(decideGrant({ available: 0n, min: 1n, want: 9n })).toEqual({ outcome: 'refused' })
  expect(decideGrant({ available: 5n, min: 5n, want: 9n })).toEqual({
    outcome: 'granted',
    amount: 5n,
    tight: true,
  })
  expect(decideGrant({ available: 100n, min: 5n, want: 9n })).toEqual({
    outcome: 'granted',
    amount: 9n,
    tight: false,
  })
})

test('the entries of a record sum to zero, and a batch posts the sum of what its records would', () => {
  const record = fc.record({
    payer: fc.constantFrom('a', 'b'),
    service: fc.constantFrom('s', 't'),
    supplier: fc.constantFrom('x', 'y'),
    billed: fc.boolean(),
    sellPico: amount,
    giftPico: amount,
    creditPico: amount,
    overrunPico: amount,
    taxPico: amount,
    buyPico: amount,
  })
  fc.assert(
    fc.property(fc.array(record), fc.nat(), (records, cut) => {
      const split = records.length === 0 ? 0 : cut % records.length
      const parts = [records.slice(0, split), records.slice(split)].map((part) => balanced(part.flatMap(usageEntries)))
      expect(balanced(parts.flat())).toEqual(balanced(records.flatMap(usageEntries)))
    }),
  )
})

test('what attempts cost is posted to each supplier once, sums to zero, and says the same whatever the batch', () => {
  const attempt = fc.record(
    { supplier: fc.constantFrom('x', 'y', 'z'), buyPico: amount.map(String) },
    { requiredKeys: ['supplier'] },
  )
  const attempts = fc.array(
    attempt.map((one) => ({ model: 'm', outcome: 'cut' as const, status: 200, startMs: 0, endMs: 1, ...one })),
    { maxLength: 4 },
  )
  fc.assert(
    fc.property(fc.array(attempts, { maxLength: 5 }), fc.nat(), (lists, cut) => {
      const records = lists.map((made, n) => sampleRecord(n, { attempts: made }))
      const entriesOf = (some: typeof records) => some.flatMap(attemptCosts).flatMap(attemptEntries)
      const entries = entriesOf(records)
      expect(entries.reduce((sum, { amountPico }) => sum + amountPico, 0n)).toBe(0n)
      for (const supplier of ['x', 'y', 'z']) {
        const stated = lists.flat().filter((one) => one.supplier === supplier)
        const due = stated.reduce((sum, { buyPico = '0' }) => sum + BigInt(buyPico), 0n)
        const booked = balanced(entries).find(({ account }) => account === `5040:${supplier}`)?.amountPico ?? 0n
        expect(booked).toBe(due)
      }
      const split = records.length === 0 ? 0 : cut % records.length
      const parts = [records.slice(0, split), records.slice(split)].map((part) => balanced(entriesOf(part)))
      expect(balanced(parts.flat())).toEqual(balanced(entries))
    }),
  )
})

test('our failure is never revenue: only completed requests and client hang-ups are billed', () => {
  expect(['completed', 'client_closed', 'failed', 'interrupted'].filter(isBilled)).toEqual([
    'completed',
    'client_closed',
  ])
  const entries = usageEntries({
    payer: 'a',
    service: 's',
    supplier: 'x',
    billed: false,
    sellPico: 0n,
    giftPico: 0n,
    creditPico: 0n,
    overrunPico: 0n,
    taxPico: 0n,
    buyPico: 7n,
  })
  expect(entries).toEqual([
    { account: '5040:x', amountPico: 7n },
    { account: '2110:x', amountPico: -7n },
  ])
})

test('a record is written as canonical JSON writes it, whatever it says', () => {
  const tokens = fc.record({
    uncachedInput: fc.nat(),
    cacheWrite: fc.nat(),
    cacheRead: fc.nat(),
    output: fc.nat(),
    reasoning: fc.nat(),
  })
  const change = fc.record(
    {
      payer: fc.string(),
      tier: fc.constantFrom('standard', 'priority', 'flex', 'batch'),
      note: fc.option(fc.string({ unit: 'binary' })),
      ttftMs: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
      slice: fc.option(fc.string({ unit: 'grapheme' })),
      counted: fc.option(fc.record({ method: fc.string(), output: fc.option(fc.nat()), input: fc.option(fc.nat()) })),
      reported: fc.option(tokens),
      draws: fc.array(
        fc.record({
          version: fc.option(fc.string()),
          covered: fc.option(tokens),
          kind: fc.constantFrom('tokens', 'throughput', 'cap'),
          bucket: fc.string(),
          slice: fc.string(),
          held: fc.string(),
          amount: fc.string(),
        }),
        { maxLength: 3 },
      ),
      candidates: fc.array(
        fc.record(
          {
            supplier: fc.string(),
            model: fc.string(),
            verdict: fc.constantFrom('eligible', 'region'),
            score: fc.record({
              price: fc.nat(),
              commitment: fc.integer(),
              miss: fc.nat(),
              missProbability: fc.double({ min: 0, max: 1 }),
              network: fc.nat(),
              affinity: fc.integer(),
              total: fc.integer(),
            }),
          },
          { requiredKeys: ['supplier', 'model', 'verdict'] },
        ),
        { maxLength: 3 },
      ),
      attempts: fc.array(
        fc.record(
          {
            supplier: fc.string(),
            model: fc.string(),
            outcome: fc.constantFrom('served', 'cut', 'lost_race'),
            status: fc.option(fc.nat()),
            startMs: fc.nat(),
            endMs: fc.nat(),
            firstTokenMs: fc.nat(),
            tokens,
            buyPico: fc.string(),
            buySheet: fc.string(),
            role: fc.constantFrom('retry', 'hedge', 'continuation'),
          },
          { requiredKeys: ['supplier', 'model', 'outcome', 'status', 'startMs', 'endMs'] },
        ),
        { maxLength: 3 },
      ),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fc.nat(1000), change, (n, changed) => {
      const record = sampleRecord(n, changed)
      expect(arrivalOf(record).text).toBe(canonicalJson(record))
    }),
  )
})

test('the fingerprint of a record survives any reordering of its fields and a trip through JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(canonicalJson(JSON.parse(JSON.stringify(value)))).toBe(canonicalJson(value))
    }),
  )
  expect(canonicalJson({ b: 1, a: [{ d: null, c: 'x' }], e: undefined })).toBe('{"a":[{"c":"x","d":null}],"b":1}')
})

test('text that the database cannot hold is recognised, and only that', () => {
  for (const bad of ['\0', 'a\0b', '\ud800', '\\\0', 'x\udc00'])
    expect(isStorable(canonicalJson({ bad })), JSON.stringify(bad)).toBe(false)
  for (const good of ['\\u0000', '\\\\u0000', '😀', '\n', '\\ud800', ''])
    expect(isStorable(canonicalJson({ good })), JSON.stringify(good)).toBe(true)
})

test('each broken rule has its own reason', () => {
  const flaw = (change: Parameters<typeof sampleRecord>[1]) => flawOf(arrivalOf(sampleRecord(1, change)), 'gw-0')
  expect(flaw({})).toBeUndefined()
  expect(flaw({ gateway: 'gw-1' })).toBe('wrong_gateway')
  expect(flaw({ buyPico: '9'.repeat(38) })).toBe('absurd_amount')
  expect(flaw({ taxPico: `${10n ** 20n}` })).toBe('tax_above_sell')
  expect(flaw({ holdPico: '1' })).toBe('sell_above_hold')
  expect(flaw({ ending: 'failed', sellPico: '1', taxPico: '0' })).toBe('failure_charged')
  expect(flaw({ slice: null })).toBe('charged_without_slice')
  expect(flaw({ note: 'a\0b' })).toBe('malformed')
})

const slice: SliceRow = {
  id: 'slc_gw-0_1_1',
  gateway: 'gw-0',
  journal: null,
  epoch: 1,
  bucket: 'wallet:acme',
  amount: 100n,
  settled: 40n,
  records: 1,
  tight: false,
  state: 'open',
  grantedAtMs: 0,
  validUntilMs: 0,
}
const knownOf = (slices: readonly SliceRow[]): Known => ({
  gatewayOf: () => 'gw-0',
  hashes: new Map(),
  slices: new Map(slices.map((each) => [each.id, each])),
  buckets: new Map(),
  isShared: () => false,
})
const cheap = (n: number, sellPico: bigint, change = {}) =>
  sampleRecord(n, { sellPico: `${sellPico}`, taxPico: '0', holdPico: `${sellPico}`, ...change })

test('a batch never takes more from a slice than is left in it', () => {
  const sell = fc.bigInt({ min: 0n, max: 50n })
  fc.assert(
    fc.property(fc.array(sell, { maxLength: 8 }), (sells) => {
      const sorting = sortArrivals(
        sells.map((each, n) => arrivalOf(cheap(n, each))),
        knownOf([slice]),
      )
      expect(sorting.accepted.reduce((sum, { record }) => sum + BigInt(record.sellPico), 0n) <= 60n).toBe(true)
      expect(sorting.accepted.length + sorting.quarantined.length).toBe(sells.length)
      expect(sorting.quarantined.every(({ reason }) => reason === 'above_slice')).toBe(true)
    }),
  )
})

test('a record that does not belong to its slice is kept aside with the reason', () => {
  const reason = (change: object, other: Partial<SliceRow> = {}) =>
    sortArrivals([arrivalOf(cheap(1, 5n, change))], knownOf([{ ...slice, ...other }])).quarantined[0]?.reason
  expect(reason({})).toBeUndefined()
  expect(reason({ slice: 'slc_x' })).toBe('unknown_slice')
  expect(reason({}, { gateway: 'gw-9' })).toBe('slice_of_other_gateway')
  expect(reason({}, { bucket: 'wallet:zeta' })).toBe('slice_of_other_tenant')
  expect(reason({}, { state: 'closed' })).toBe('slice_closed')
  expect(reason({}, { settled: 96n })).toBe('above_slice')
  expect(reason({ sellPico: '0', ending: 'failed' }, { state: 'released' })).toBeUndefined()
})

test('the same content under one id is a duplicate, other content is not', () => {
  const [first, altered] = [arrivalOf(cheap(1, 5n)), arrivalOf(cheap(1, 6n))]
  const sorting = sortArrivals([first, first, altered], knownOf([slice]))
  expect([sorting.accepted.length, sorting.duplicates.length, sorting.quarantined.map(({ reason }) => reason)]).toEqual(
    [1, 1, ['altered_duplicate']],
  )
  const later = sortArrivals([first], { ...knownOf([]), hashes: new Map([[first.record.id, altered.contentHash]]) })
  expect(later.quarantined.map(({ reason }) => reason)).toEqual(['altered_duplicate'])
})

test('every record lands in one minute and one hour, and both sum to the same', () => {
  const columns = Array.from({ length: 200 }, (_, n) => columnsOf(sampleRecord(n * 997)))
  for (const span of ['minute', 'hour']) {
    const cells = rollUp(columns).filter((cell) => cell.span === span)
    expect(cells.reduce((sum, cell) => sum + cell.requests, 0)).toBe(200)
    expect(cells.reduce((sum, cell) => sum + cell.sellPico, 0n)).toBe(
      columns.reduce((sum, each) => sum + each.sellPico, 0n),
    )
    expect(cells.flatMap((cell) => cell.ttft).reduce((sum, count) => sum + count, 0)).toBe(200)
  }
})

test('a quantile lies in the bucket that holds it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 29_999 }), { minLength: 1 }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (values, q) => {
        const counts = Array.from({ length: TTFT_BOUNDS_MS.length + 1 }, () => 0)
        for (const value of values) counts[ttftBucket(value)]! += 1
        const exact = values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(q * values.length) - 1)] ?? 0
        const bucket = ttftBucket(exact)
        const estimate = quantile(counts, q) ?? -1
        expect(estimate).toBeGreaterThanOrEqual(TTFT_BOUNDS_MS[bucket - 1] ?? 0)
        expect(estimate).toBeLessThanOrEqual(TTFT_BOUNDS_MS[bucket] ?? 0)
      },
    ),
  )
  expect(quantile([], 0.5)).toBeNull()
})

test('a time range is covered by hours and minutes, each instant once', () => {
  const minute = fc.integer({ min: 0, max: 60 * 24 * 3 }).map((n) => START_MS + n * 60_000)
  fc.assert(
    fc.property(minute, minute, (a, b) => {
      const [fromMs, toMs] = [Math.min(a, b), Math.max(a, b)]
      const ranges = rollupRanges({ fromMs, toMs })
      let at = fromMs
      for (const range of ranges) {
        expect(range.fromMs).toBe(at)
        const width = range.span === 'hour' ? 3_600_000 : 60_000
        expect([range.fromMs % width, range.toMs % width]).toEqual([0, 0])
        at = range.toMs
      }
      expect(at).toBe(toMs)
    }),
  )
})

test('rating anew accepts the right price and no other', async () => {
  const lookup = async (id: string) => {
    const sheet = await sheetById(id)
    return sheet && { ...sheet, priced: parsePriceSheet(sheet) }
  }
  const right = sampleRecord(7)
  const off = (text: string) => `${BigInt(text) + 1n}`
  expect(await misratingOf(right, { sheet: lookup })).toBeUndefined()
  expect(await misratingOf(sampleRecord(7, { ending: 'failed', taxPico: '1' }), { sheet: lookup })).toMatch(
    /nothing is billed/,
  )
  expect(await misratingOf(sampleRecord(7, { ending: 'failed', taxPico: '0' }), { sheet: lookup })).toBeUndefined()
  expect(await misratingOf({ ...right, sellPico: off(right.sellPico) }, { sheet: lookup })).toMatch(/sells for/)
  expect(await misratingOf({ ...right, buyPico: off(right.buyPico) }, { sheet: lookup })).toMatch(/buys for/)
  expect(await misratingOf({ ...right, taxPico: off(right.taxPico) }, { sheet: lookup })).toMatch(/tax/)
  expect(await misratingOf({ ...right, sellSheet: 'gone' }, { sheet: lookup })).toMatch(/sell sheet gone is unknown/)
  expect(await misratingOf({ ...right, buySheet: 'gone' }, { sheet: lookup })).toMatch(/buy sheet gone is unknown/)
})

test('a record rated by a sheet of another side, service, supplier, model or time is misrated, however right the product', async () => {
  const rated = async (record: UsageRecord, change: Partial<FiledSheet> = {}) =>
    misratingOf(record, {
      sheet: async (id) => {
        const sheet = await sheetById(id)
        return sheet && { ...sheet, ...change, side: sheet.side, priced: parsePriceSheet(sheet) }
      },
    })
  const right = sampleRecord(7)
  const at = right.acceptedAtMs
  expect(await rated({ ...right, sellSheet: 'sell|other' })).toMatch(/sell sheet sell\|other prices other, not babbler/)
  expect(await rated({ ...right, buySheet: 'buy|other|embedded|babbler' })).toMatch(/prices other/)
  expect(await rated({ ...right, buySheet: 'buy|babbler|vllm|babbler' })).toMatch(/prices babbler of vllm/)
  expect(await rated({ ...right, buySheet: 'buy|babbler|embedded|large' })).toMatch(/prices large of embedded/)
  expect(await rated({ ...right, sellSheet: right.buySheet })).toMatch(/is a buy sheet/)
  expect(await rated({ ...right, buySheet: right.sellSheet })).toMatch(/is a sell sheet/)
  expect(await rated(right, { validFromMs: at, validToMs: at + 1 })).toBeUndefined()
  expect(await rated(right, { validFromMs: at + 1 })).toMatch(/not in force yet/)
  // News of an end may be late by what a gateway can serve without the control plane, and no more.
  expect(await rated(right, { validToMs: at - 600_000 + 1 })).toBeUndefined()
  expect(await rated(right, { validToMs: at - 600_000 })).toMatch(/no longer in force/)
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { UsageRecord } from '#contract'
import { writeRecord } from './record-text.ts'

const page = Buffer.alloc(65_536)
const recordText = (record: UsageRecord): string => page.toString('utf8', 7, writeRecord(record, page, 7))

const text = fc.string({ unit: 'binary', maxLength: 12 })
const count = fc.nat()
const real = fc.oneof(fc.double(), fc.nat())
const pico = fc.bigInt({ min: 0n, max: 10n ** 30n }).map(String)
const tokens = fc.record({ uncachedInput: count, cacheWrite: count, cacheRead: count, output: count, reasoning: count })
const score = fc.record({
  price: real,
  commitment: real,
  miss: real,
  missProbability: real,
  network: real,
  affinity: real,
  total: real,
})
const candidate = fc.record(
  { supplier: text, model: text, verdict: fc.constantFrom('eligible', 'at_capacity'), score },
  { requiredKeys: ['supplier', 'model', 'verdict'] },
)
const draw = fc.record({
  kind: fc.constantFrom('tokens', 'throughput', 'cap'),
  bucket: text,
  slice: text,
  held: pico,
  amount: pico,
  version: fc.option(text),
  covered: fc.option(tokens),
})
const attempt = fc.record(
  {
    supplier: text,
    model: text,
    outcome: fc.constantFrom('served', 'cut'),
    status: fc.option(fc.nat()),
    startMs: real,
    endMs: real,
    firstTokenMs: real,
    tokens,
    buyPico: pico,
    buySheet: text,
    role: fc.constantFrom('retry', 'hedge', 'continuation'),
  },
  { requiredKeys: ['supplier', 'model', 'outcome', 'status', 'startMs', 'endMs'] },
)
const all = {
  id: text,
  gateway: text,
  epoch: count,
  slice: fc.option(text),
  tenant: text,
  key: text,
  service: text,
  supplier: text,
  model: text,
  stream: fc.boolean(),
  ending: fc.constantFrom('completed', 'client_closed', 'failed', 'interrupted'),
  finishReason: fc.option(text),
  status: count,
  acceptedAtMs: count,
  completedAtMs: count,
  ttftMs: fc.option(real),
  durationMs: real,
  reported: fc.option(tokens),
  counted: fc.option(fc.record({ input: fc.option(count), output: fc.option(count), method: text })),
  tokens,
  basis: fc.constantFrom('reported', 'counted', 'checkpoint', 'none'),
  note: fc.option(text),
  holdPico: pico,
  sellPico: pico,
  taxPico: pico,
  buyPico: pico,
  sellSheet: text,
  buySheet: text,
  payer: text,
  tier: fc.constantFrom('flex', 'priority'),
  draws: fc.array(draw, { maxLength: 3 }),
  candidates: fc.array(candidate, { maxLength: 3 }).map((list) => Object.freeze(list)),
  attempts: fc.array(attempt, { maxLength: 3 }),
}
const optional = new Set(['payer', 'tier', 'draws'])
const required = Object.keys(all).filter((name) => !optional.has(name)) as Array<keyof typeof all>
const records = fc.record(all, { requiredKeys: required }) as unknown as fc.Arbitrary<UsageRecord>

test('a record reads as what JSON.stringify writes of it, whatever its texts and numbers are', () => {
  fc.assert(
    fc.property(records, (record) => {
      const written = recordText(record)
      expect(JSON.parse(written)).toEqual(JSON.parse(JSON.stringify(record)))
      expect(recordText(record)).toBe(written)
      const same = { ...record, reported: record.tokens }
      expect(JSON.parse(recordText(same))).toEqual(JSON.parse(JSON.stringify(same)))
    }),
    { numRuns: 500 },
  )
})

test('no member of the contract is left out', () => {
  const whole = fc.sample(fc.record(all), 1)[0] as unknown as UsageRecord
  expect(Object.keys(JSON.parse(recordText(whole)) as object).toSorted()).toEqual(
    Object.keys(UsageRecord.shape).toSorted(),
  )
})

test('a record that does not fit says so, and nothing is written outside the place it was given', () => {
  fc.assert(
    fc.property(records, fc.double({ min: 0, max: 1, noNaN: true }), (record, part) => {
      const end = writeRecord(record, page, 0)
      const room = Math.floor((end - 1) * part)
      expect(writeRecord(record, page.subarray(0, room), 0)).toBe(-1)
      expect(writeRecord(record, page.subarray(0, end), 0)).toBe(end)
    }),
  )
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Attempt, SlaTerm, UsageRecord } from '#contract'
import { balances } from '#ledger'
import { expectCoherent } from '../../../test/charging.ts'
import { qualityStage } from '../../../test/quality.ts'
import type { QualityStage } from '../../../test/quality.ts'
import { START_MS } from '../../../test/sample-usage.ts'

const MINUTE = 60_000
/** The first whole minute after the terms begin. */
const FROM = START_MS + 10 * MINUTE - (START_MS % MINUTE)
const PERIOD = '2026-11'
const AGREED_RPM = 12
const MEASURES: readonly SlaTerm[] = [
  {
    measure: 'availability',
    targetPpm: 990_000,
    limitMs: null,
    steps: [
      { belowPpm: 990_000, penaltyPpm: 100_000 },
      { belowPpm: 950_000, penaltyPpm: 250_000 },
    ],
  },
  { measure: 'ttft', targetPpm: 950_000, limitMs: 500, steps: [{ belowPpm: 950_000, penaltyPpm: 50_000 }] },
  { measure: 'tpot', targetPpm: 900_000, limitMs: 40, steps: [] },
]

let stage: QualityStage
let delivered: readonly UsageRecord[]

const attempt = (supplier: string, outcome: Attempt['outcome'], more: Partial<Attempt> = {}): Attempt => ({
  supplier,
  model: 'babbler',
  outcome,
  status: outcome === 'served' ? 200 : 500,
  startMs: 0,
  endMs: 900,
  ...more,
})

/** A request of minute `minute` whose first token came after `ttftMs` and the others every 20 ms. */
function request(minute: number, change: Partial<UsageRecord> & { ttftMs?: number | null } = {}): Partial<UsageRecord> {
  const ttftMs = change.ttftMs === undefined ? 200 : change.ttftMs
  const tokens = { uncachedInput: 2000, cacheWrite: 0, cacheRead: 0, output: 11, reasoning: 0 }
  const durationMs = (ttftMs ?? 0) + 200
  const acceptedAtMs = FROM + minute * MINUTE
  return {
    ...{ service: 'chat', supplier: 'vllm', model: 'babbler', tokens, reported: tokens, counted: null },
    ...{ acceptedAtMs, completedAtMs: acceptedAtMs + Math.ceil(durationMs), ttftMs, durationMs },
    attempts: [attempt('vllm', 'served', { endMs: durationMs, ...(ttftMs === null ? {} : { firstTokenMs: ttftMs }) })],
    ...change,
  }
}

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make)
const failed = (minute: number) =>
  request(minute, { ending: 'failed', ttftMs: null, attempts: [attempt('vllm', 'status_5xx')] })

beforeAll(async () => {
  stage = await qualityStage()
  const scope = { service: 'chat', tier: null, requestsPerMinute: AGREED_RPM, validFromMs: FROM - MINUTE }
  const said = { by: 'ann', reason: 'as signed' }
  await stage.quality.declareTerms({ leg: 'customer', party: null, measures: MEASURES, ...scope }, said)
  await stage.quality.declareTerms({ leg: 'supplier', party: 'vllm', measures: MEASURES, ...scope }, said)
  delivered = await stage.deliver([
    // 40 minutes of 10 requests, below the agreed 12: 3 failures in each of 5 minutes are the provider's.
    ...Array.from({ length: 40 }, (_, minute) => times(minute < 5 ? 7 : 10, () => request(minute))).flat(),
    ...Array.from({ length: 5 }, (_, minute) => times(3, () => failed(minute))).flat(),
    // 20 requests in a minute: of 10 failures, 8 are of the requests beyond the rate.
    ...times(10, () => request(50)),
    ...times(10, () => failed(50)),
    // First tokens that come too late: 30 of 40. Exactly at the limit is in time.
    ...times(10, () => request(60, { ttftMs: 500 })),
    ...Array.from({ length: 3 }, (_, at) => times(10, () => request(61 + at, { ttftMs: 500.001 }))).flat(),
    // Who left before the limit, whose request was wrong, and who left after the limit.
    ...times(3, () =>
      request(70, {
        ending: 'client_closed',
        ttftMs: null,
        durationMs: 400,
        attempts: [attempt('vllm', 'client_closed', { endMs: 400 })],
      }),
    ),
    ...times(4, () =>
      request(71, { ending: 'failed', ttftMs: null, attempts: [attempt('vllm', 'status_4xx', { status: 400 })] }),
    ),
    ...times(2, () =>
      request(72, {
        ending: 'client_closed',
        ttftMs: null,
        durationMs: 900,
        attempts: [attempt('vllm', 'client_closed')],
      }),
    ),
    // The customer got its answer, from the second supplier.
    ...times(5, () =>
      request(80, {
        supplier: 'other',
        attempts: [
          attempt('vllm', 'status_5xx', { endMs: 50 }),
          attempt('other', 'served', { startMs: 50, endMs: 400, firstTokenMs: 200 }),
        ],
      }),
    ),
    // A whole answer has no first token to wait for.
    ...times(6, () => request(81, { stream: false, ttftMs: null })),
  ])
  await stage.quality.digest()
})
afterAll(() => stage[Symbol.asyncDispose]())

const ALL = { fromMs: FROM, toMs: FROM + 100 * MINUTE }

test('injected failures and latencies give exactly the indicators of their closed form', async () => {
  const [customer] = await stage.quality.indicators({ ...ALL, leg: 'customer', party: 'acme' })
  const streamed = 385 + 10 + 40 + 5
  expect(customer).toMatchObject({
    requests: 400 + 20 + 40 + 2 + 5 + 6,
    failed: 15 + 10,
    excused: 8,
    excluded: 3 + 4,
    ttftValid: streamed + 2,
    ttftGood: streamed - 30,
    tpotValid: streamed,
    tpotGood: streamed,
  })
  const [supplier] = await stage.quality.indicators({ ...ALL, leg: 'supplier', party: 'vllm' })
  expect(supplier).toMatchObject({ requests: 400 + 20 + 40 + 2 + 5 + 6, failed: 25 + 5, excused: 8, excluded: 7 })
  const [other] = await stage.quality.indicators({ ...ALL, leg: 'supplier', party: 'other' })
  expect(other).toMatchObject({ requests: 5, failed: 0 })
})

test('a month must be over; then its report says what the terms make of it, and proposes credit and penalty', async () => {
  const { quality, clock } = stage
  await expect(quality.computeReports(PERIOD, 'ann')).rejects.toMatchObject({ type: { code: 'period_not_over' } })
  clock.advance(9 * 86_400_000)
  await quality.computeReports(PERIOD, 'ann')
  const credits = await quality.credits({ period: PERIOD })
  // 448 good of 465 valid: 96.3440 %, below 99 % and above 95 %.
  expect(Math.floor((448 * 1_000_000) / 465)).toBe(963_440)
  const net = delivered.reduce((sum, one) => sum + BigInt(one.sellPico) - BigInt(one.taxPico), 0n)
  const tax = delivered.reduce((sum, one) => sum + BigInt(one.taxPico), 0n)
  const buy = delivered
    .filter(({ supplier }) => supplier === 'vllm')
    .reduce((sum, one) => sum + BigInt(one.buyPico), 0n)
  const part = (amount: bigint) => {
    const [whole, rest] = [amount / 10n, amount % 10n]
    return rest > 5n || (rest === 5n && whole % 2n === 1n) ? whole + 1n : whole
  }
  expect(credits).toMatchObject([
    { leg: 'customer', party: 'acme', ppm: 100_000, netPico: part(net), taxPico: part(tax), state: 'computed' },
    { leg: 'supplier', party: 'vllm', ppm: 100_000, netPico: part(buy), taxPico: 0n, state: 'computed' },
  ])
  const [penalty] = (await quality.credit(credits[0]?.id ?? '')).otherSide
  expect(penalty?.id).toBe(credits[1]?.id)
})

test('the counterparty computes the same from nothing but the CSV and the terms', async () => {
  let csv = ''
  for await (const part of stage.quality.reportCsv({ leg: 'customer', party: 'acme', period: PERIOD })) csv += part
  const [head = [], ...rows] = csv
    .trim()
    .split('\n')
    .map((line) => line.split(','))
  const cell = (row: readonly string[], name: string) => row[head.indexOf(name)] ?? ''
  expect(rows).toHaveLength(delivered.length)
  const minutes = new Map<string, { asked: number; bad: number }>()
  let [late, first, netPico] = [0, 0, 0n]
  for (const row of rows) {
    netPico += BigInt(cell(row, 'net_pico'))
    const left = cell(row, 'left_after_ms')
    if (cell(row, 'outcome') === 'excluded' || (left !== '' && Number(left) <= 500)) continue
    const minute = cell(row, 'accepted_at').slice(0, 16)
    const seen = minutes.get(minute) ?? { asked: 0, bad: 0 }
    minutes.set(minute, { asked: seen.asked + 1, bad: seen.bad + (cell(row, 'outcome') === 'bad' ? 1 : 0) })
    const waited = cell(row, 'ttft_ms') || left
    if (cell(row, 'outcome') === 'good' && waited !== '') {
      first += 1
      if (Number(waited) > 500) late += 1
    }
  }
  let [valid, good] = [0, 0]
  for (const { asked, bad } of minutes.values()) {
    const beyond = Math.max(0, asked - AGREED_RPM)
    valid += asked - Math.min(bad, beyond)
    good += asked - bad
  }
  const [report] = await stage.quality.reports({ period: PERIOD, leg: 'customer', party: 'acme' })
  expect(report?.lines).toMatchObject([
    {
      netPico: `${netPico}`,
      measures: [
        { measure: 'availability', valid, good, attainmentPpm: Math.floor((good * 1e6) / valid), isMissed: true },
        { measure: 'ttft', valid: first, good: first - late },
        { measure: 'tpot', isMissed: false },
      ],
    },
  ])
})

test('computing again changes nothing; a late record makes a new version, and what nobody has decided follows it', async () => {
  const { quality } = stage
  const before = await quality.reports({ period: PERIOD })
  await quality.computeReports(PERIOD, 'ann')
  expect(await quality.reports({ period: PERIOD })).toEqual(before)
  await stage.deliver([failed(3)])
  await quality.digest()
  await quality.computeReports(PERIOD, 'ann')
  const after = await quality.reports({ period: PERIOD, leg: 'customer' })
  expect(after[0]?.version).toBe(2)
  expect((await quality.credits({ leg: 'customer' }))[0]).toMatchObject({ version: 2, state: 'computed' })
})

test('two people approve; the credit is posted and in the wallet once, the penalty is handed to settlement in whole fen', async () => {
  const { quality, charging, database } = stage
  const [credit] = await quality.credits({ leg: 'customer' })
  const [penalty] = await quality.credits({ leg: 'supplier' })
  if (!credit || !penalty) throw new Error('no credits')
  const said = { by: 'bob', reason: 'checked' }
  await expect(quality.decideCredit(credit.id, 'approved', { ...said, by: 'ann' })).rejects.toMatchObject({
    type: { code: 'same_person' },
  })
  await quality.decideCredit(penalty.id, 'contested', { by: 'vllm ops', reason: 'our link was fine' })
  const posted = async (account: string) => (await balances(database, account))[0]?.amountPico ?? 0n
  expect(await quality.penaltiesOf({ supplier: 'vllm', period: PERIOD })).toEqual([])
  await quality.decideCredit(penalty.id, 'approved', said)
  await quality.decideCredit(credit.id, 'approved', said)
  await expect(quality.decideCredit(credit.id, 'approved', said)).rejects.toMatchObject({
    type: { code: 'illegal_transition' },
  })
  const gross = credit.netPico + credit.taxPico
  expect(await posted('2300:acme')).toBe(-gross)
  expect(await posted('4100:acme')).toBe(credit.netPico)
  // A penalty is booked by settlement, which takes it off what it pays: booking it here too would take it off twice.
  expect([await posted('1210:vllm'), await posted('5070:vllm')]).toEqual([0n, 0n])
  expect(await quality.penaltiesOf({ supplier: 'vllm', period: PERIOD })).toMatchObject([
    { id: penalty.id, kind: 'sla', amountPico: penalty.netPico - (penalty.netPico % 10_000_000_000n) },
  ])
  const before = BigInt((await charging.balance('acme')).postedPico)
  expect(await Promise.all([quality.applyCredits(), quality.applyCredits()])).toBeDefined()
  expect(BigInt((await charging.balance('acme')).postedPico) - before).toBe(gross)
  expect(await posted('2300:acme')).toBe(0n)
  expect((await quality.credits({ leg: 'customer' }))[0]?.state).toBe('applied')
  await stage.quality.computeReports(PERIOD, 'ann')
  expect((await quality.credits({ leg: 'customer' }))[0]).toMatchObject({ state: 'applied', netPico: credit.netPico })
  const { events } = await quality.credit(penalty.id)
  expect(events.map(({ what }) => what)).toEqual(['computed', 'computed', 'contested', 'approved'])
  await expectCoherent(charging)
})

test('nothing is promised backwards', async () => {
  const terms = {
    leg: 'customer',
    party: null,
    service: null,
    tier: null,
    measures: MEASURES,
    requestsPerMinute: null,
  } as const
  const declared = stage.quality.declareTerms({ ...terms, validFromMs: FROM }, { by: 'ann', reason: 'x' })
  await expect(declared).rejects.toMatchObject({ type: { code: 'terms_backdated' } })
})

test('a budget that burns 14.4 times too fast in an hour and still does opens an alert, once, and its end closes it', async () => {
  await using own = await qualityStage()
  const scope = { service: 'chat', tier: null, requestsPerMinute: null, validFromMs: FROM - MINUTE }
  const [availability] = MEASURES
  if (!availability) throw new Error('no measure')
  const measures = [{ ...availability, targetPpm: 999_000 }]
  await own.quality.declareTerms(
    { leg: 'customer', party: null, measures, ...scope },
    { by: 'ann', reason: 'as signed' },
  )
  own.clock.advance(FROM - START_MS + 60 * MINUTE)
  // Of 600 requests in an hour 9 fail: 1.5 % of a budget of 0.1 % is 15 times too fast. The last five minutes: 2 of 50.
  const minutes = Array.from({ length: 60 }, (_, minute) => minute)
  const fails = new Set([5, 10, 15, 20, 25, 30, 35, 57, 58])
  await own.deliver(
    minutes.flatMap((minute) => [
      ...times(fails.has(minute) ? 9 : 10, () => request(minute)),
      ...(fails.has(minute) ? [failed(minute)] : []),
    ]),
  )
  await own.quality.digest()
  expect(await own.quality.watch()).toEqual({ opened: 2, closed: 0 })
  expect(await own.quality.watch()).toEqual({ opened: 0, closed: 0 })
  const [hour] = (await own.quality.alerts({ limit: 10 })).filter(({ rule }) => rule === '14.4x/1h')
  expect(hour).toMatchObject({
    leg: 'customer',
    party: 'acme',
    service: 'chat',
    measure: 'availability',
    closedAtMs: null,
  })
  expect(hour?.burn).toBeCloseTo(15, 9)
  own.clock.advance(6 * MINUTE)
  expect(await own.quality.watch()).toEqual({ opened: 0, closed: 1 })
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { UsageRecord } from '#contract'
import { manualClock } from '#platform/clock'
import { script } from '#platform/postgres'
import { freshDatabase } from '../../../../test/database.ts'
import type { FreshDatabase } from '../../../../test/database.ts'
import { createCharging } from '../charging.ts'
import type { Charging } from '../charging.ts'
import { sampleId, sampleRecord, sheetById, START_MS } from '../../../../test/sample-usage.ts'
import { verify } from './verify.ts'

const CONTINUED_TOKENS = { uncachedInput: 57, cacheWrite: 0, cacheRead: 0, output: 11, reasoning: 0 }
/** An answer that `lost` began and another supplier ended. */
const CONTINUED: UsageRecord['attempts'] = [
  {
    supplier: 'lost',
    model: 'babbler',
    outcome: 'cut',
    status: 200,
    startMs: 0.4,
    endMs: 90,
    firstTokenMs: 40,
    tokens: CONTINUED_TOKENS,
    // 57 × 0.7 + 11 × 5 millionths of a yuan, as `sheetById` prices.
    buyPico: '94900000',
    buySheet: 'buy|babbler|lost|babbler',
  },
  {
    supplier: 'embedded',
    model: 'babbler',
    outcome: 'served',
    status: 200,
    startMs: 91,
    endMs: 300,
    role: 'continuation',
  },
]

let database: FreshDatabase
let charging: Charging
beforeAll(async () => {
  database = await freshDatabase({ max: 2 })
  charging = createCharging({ database, clock: manualClock(START_MS) })
  for (const [index, tenant] of ['acme', 'zeta'].entries()) {
    await charging.topup({ tenant, amountPico: 10n ** 13n, reference: `pay-${tenant}` })
    const { epoch } = await charging.register({ gateway: `gw-${index}`, journal: 'journal-of-test' })
    const reply = await charging.grant({
      gateway: `gw-${index}`,
      epoch,
      seq: 1,
      bucket: `wallet:${tenant}`,
      min: '1',
      want: `${10n ** 12n}`,
    })
    const slice = reply.outcome === 'granted' ? reply.slice.id : ''
    const records = Array.from({ length: 20 }, (_, n) =>
      sampleRecord(index * 100 + n, {
        tenant,
        gateway: `gw-${index}`,
        slice,
        ending: n === 3 ? 'failed' : 'completed',
        ...(n === 7 ? { attempts: CONTINUED } : {}),
      }),
    )
    for (const start of [0, 10])
      await charging.ingest({ gateway: `gw-${index}`, records: records.slice(start, start + 10) })
  }
})
afterAll(() => database[Symbol.asyncDispose]())

const record = (n: number) => `from charging.usage_record where id = '${sampleId(n)}'`
const change = (n: number, what: string) => `update charging.usage_record set ${what} where id = '${sampleId(n)}'`

const RECORDS = 'every usage record is unaltered and rated by its sheets'
const POSTED = 'every usage record is posted, on both sides at once'
const USAGE = 'every usage posting is the sum of its records'
const BOOKINGS = 'every booking is posted as it says'
const TOPUPS = 'every top-up is posted once'
const SUMS = 'every posting sums to zero'
const BALANCES = 'every balance is the sum of its entries'
const CHAIN = 'the hash chain is whole'
const WALLETS = 'every wallet is what the ledger owes its tenant'
const LOTS = 'every lot is what was granted less what was used of it'
const DEFERRED = 'deferred revenue is what packages and fees have not earned yet'
const CORRECTIONS = 'every correction continues what was booked before'
const ESCROW = 'what buckets have set aside is what open slices have left'
const PERIODS = 'every period has what it was filled with less what records drew'
const SLICES = 'every slice has settled what its records cost'
const ROLLUPS = 'every roll-up is the sum of its records'
const QUARANTINE = 'no usage record waits in quarantine'

test('untouched books pass every check, and every check has looked at what there is', async () => {
  const reply = await charging.verify({ sheetById })
  expect(reply.checks.map((check) => [check.name, check.ok, check.seen])).toEqual([
    [RECORDS, true, 40],
    [POSTED, true, 40],
    [USAGE, true, 4],
    [BOOKINGS, true, 0],
    [TOPUPS, true, 2],
    [SUMS, true, 6],
    [BALANCES, true, 13],
    [CHAIN, true, 6],
    [WALLETS, true, 2],
    [LOTS, true, 2],
    [DEFERRED, true, 0],
    [CORRECTIONS, true, 0],
    [ESCROW, true, 2],
    [PERIODS, true, 0],
    [SLICES, true, 2],
    [ROLLUPS, true, expect.any(Number)],
    [QUARANTINE, true, 0],
  ])
  expect(reply.checks.find((check) => check.name === ROLLUPS)?.seen).toBeGreaterThan(4)
  expect(reply.ok).toBe(true)
})

test('records that are kept as they were before 0020, in the order of jsonb, pass as well', async () => {
  const undo = new Error('undo')
  await expect(
    database.transaction(async (tx) => {
      await tx.rows(
        script(
          'set local session_replication_role = replica; update charging.usage_record set record = record::jsonb::text::json',
        ),
      )
      const inside = { ...database, transaction: <T>(work: (inner: typeof tx) => Promise<T>) => work(tx) }
      expect(await verify(inside, { sheetById })).toMatchObject({ ok: true })
      throw undo
    }),
  ).rejects.toBe(undo)
})

test('empty books pass', async () => {
  await using empty = await freshDatabase({ max: 1 })
  expect(await verify(empty, { sheetById })).toMatchObject({ ok: true })
})

/** One altered row each, behind the triggers, and the checks that must name it. */
const tampering: readonly (readonly [string, readonly string[], RegExp])[] = [
  [change(1, 'sell = sell + 1'), [RECORDS, USAGE, SLICES, ROLLUPS], /column sellPico/],
  [change(1, 'sell = sell - 1, tax = tax - 1'), [RECORDS, USAGE, SLICES, ROLLUPS], /column sellPico/],
  [change(1, 'buy = buy + 1'), [RECORDS, USAGE, ROLLUPS], /2110:embedded moved by/],
  [change(1, 'tax = tax - 1'), [RECORDS, USAGE], /column taxPico/],
  [change(7, 'attempt_costs = null'), [RECORDS, USAGE], /2110:lost moved by -94900000/],
  [change(7, `attempt_costs = '[{"buyPico":"94900001","supplier":"lost"}]'`), [RECORDS, USAGE], /column attemptCosts/],
  [change(1, `attempt_costs = '[{"buyPico":"1","supplier":"lost"}]'`), [RECORDS, USAGE], /it should by 1|it should be/],
  [change(1, `record = jsonb_set(record::jsonb, '{buyPico}', '"1"')`), [RECORDS], /content does not match its hash/],
  [
    change(1, `record = jsonb_set(record::jsonb, '{note}', '"forged"'), content_hash = sha256('x')`),
    [RECORDS, USAGE],
    /its records are not those it was made from/,
  ],
  [change(1, `content_hash = sha256('x')`), [RECORDS, USAGE], /content does not match its hash/],
  [change(1, `ending = 'client_closed'`), [RECORDS], /column ending/],
  [change(1, `tenant = 'zeta'`), [RECORDS, USAGE, SLICES, ROLLUPS], /1 records of another tenant/],
  [change(1, `supplier = 'other'`), [RECORDS, USAGE, ROLLUPS], /2110:embedded moved/],
  [change(1, 'ttft_bucket = 0'), [RECORDS, ROLLUPS], /column ttftBucket/],
  [change(1, 'completed_at_ms = completed_at_ms + 3600000'), [RECORDS, ROLLUPS], /column completedAtMs/],
  [change(1, `posting_id = 'pst_gone'`), [POSTED, USAGE], /posting pst_gone: 1 records name it/],
  [change(1, `posting_id = (select posting_id ${record(105)})`), [USAGE], /made from 10 records, 11 are there/],
  [change(1, `slice = 'slc_gone'`), [RECORDS, SLICES], /slice slc_gone: 0 settled/],
  [`delete ${record(1)}`, [USAGE, LOTS, SLICES, ROLLUPS], /made from 10 records, 9 are there/],
  [
    `insert into charging.usage_record select '${sampleId(900)}', content_hash, posting_id, slice, tenant, key, service, supplier, ending, completed_at_ms,
     uncached_input, cache_write, cache_read, output, reasoning, ttft_bucket, paced_tokens, paced_ms, sell, tax, buy, record ${record(1)}`,
    [RECORDS, USAGE, SLICES, ROLLUPS],
    /filed under the id of another record/,
  ],
  [
    `update ledger.entry set amount = amount + 1 where posting_seq = 3 and account = '2210'`,
    [USAGE, SUMS, BALANCES, CHAIN],
    /entries sum to 1/,
  ],
  [
    `update ledger.entry set amount = amount * 2 where posting_seq = 3`,
    [USAGE, BALANCES, CHAIN],
    /content does not match its hash/,
  ],
  [
    `delete from ledger.entry where posting_seq = 3; delete from ledger.posting where seq = 3`,
    [POSTED, BALANCES, CHAIN],
    /follows 2/,
  ],
  [`update ledger.posting set booked_at_ms = 0 where seq = 3`, [CHAIN], /content does not match its hash/],
  [`update ledger.posting set kind = 'present' where seq = 3`, [POSTED, BOOKINGS, CHAIN], /unknown kind present/],
  [
    `update ledger.balance set amount = amount - 1 where account = '2000:acme'`,
    [BALANCES, WALLETS, LOTS],
    /the ledger owes/,
  ],
  [`update ledger.chain_head set seq = seq + 1`, [CHAIN], /head of the chain/],
  [change(1, `lot_amounts = array[1]::numeric[]`), [RECORDS, LOTS], /lots of it gave 1/],
  [change(1, `lots = array['lot_gone']`), [RECORDS, LOTS], /lot lot_gone: nothing left/],
  [change(1, 'credit = 1'), [RECORDS, USAGE], /2000:acme moved by/],
  [change(1, 'booked_tax = tax + 1'), [RECORDS, USAGE], /books a tax/],
  [`update charging.lot set remaining = remaining - 1 where bucket = 'wallet:acme'`, [LOTS], /records burned/],
  [`update charging.lot set granted = granted + 1 where bucket = 'wallet:acme'`, [LOTS], /records burned/],
  [`update charging.lot set source = 'gift' where bucket = 'wallet:acme'`, [RECORDS, LOTS], /its lots have/],
  [`update charging.bucket set posted = posted + 1 where tenant = 'acme'`, [WALLETS], /wallet acme/],
  [`update charging.bucket set escrowed = escrowed - 1 where tenant = 'acme'`, [ESCROW], /open slices have/],
  [`delete from charging.bucket where tenant = 'acme'`, [WALLETS], /there is no wallet/],
  [
    `update charging.slice set settled = settled - 1 where bucket = 'wallet:acme'`,
    [ESCROW, SLICES],
    /slice slc_gw-0_1_1/,
  ],
  [`update charging.slice set records = records + 1 where bucket = 'wallet:acme'`, [SLICES], /21 records, found/],
  [`update charging.slice set amount = amount + 1 where bucket = 'wallet:acme'`, [ESCROW], /open slices have/],
  [
    `update charging.slice set state = 'closed', closed_at_ms = 0 where bucket = 'wallet:acme'`,
    [ESCROW],
    /open slices have 0 left/,
  ],
  [`delete from charging.slice where bucket = 'wallet:acme'`, [ESCROW, SLICES], /slice slc_gw-0_1_1: 0 settled/],
  [`update charging.topup set amount = amount + 1 where tenant = 'acme'`, [TOPUPS], /top-up pay-acme/],
  [`delete from charging.topup where tenant = 'acme'`, [TOPUPS], /there is no top-up for it/],
  [
    `update charging.usage_rollup set sell = sell + 1 where ctid = (select min(ctid) from charging.usage_rollup)`,
    [ROLLUPS],
    /roll-up (minute|hour)/,
  ],
  [`update charging.usage_rollup set ttft[3] = ttft[3] + 1 where span = 'hour'`, [ROLLUPS], /roll-up hour/],
  [`delete from charging.usage_rollup where span = 'hour'`, [ROLLUPS], /missing/],
  [
    `insert into charging.usage_quarantine values ('req_x', sha256('x'), 'gw-0', 'above_slice', '{}', 0)`,
    [QUARANTINE],
    /req_x: above_slice/,
  ],
]

test.each(tampering)('an altered row is named: %s', async (text, failing, line) => {
  const undo = new Error('undo')
  await expect(
    database.transaction(async (tx) => {
      await tx.rows(script(`set local session_replication_role = replica; ${text}`))
      const inside = { ...database, transaction: <T>(work: (inner: typeof tx) => Promise<T>) => work(tx) }
      const reply = await verify(inside, { sheetById })
      expect(reply.ok).toBe(false)
      expect(reply.checks.filter((check) => !check.ok).map((check) => check.name)).toEqual(failing)
      expect(reply.checks.flatMap((check) => check.disagreements).join('\n')).toMatch(line)
      throw undo
    }),
  ).rejects.toBe(undo)
})

test('a thousand disagreements are told in twenty lines', async () => {
  const undo = new Error('undo')
  await expect(
    database.transaction(async (tx) => {
      await tx.rows(script(`set local session_replication_role = replica; update charging.usage_record set key = 'x'`))
      const inside = { ...database, transaction: <T>(work: (inner: typeof tx) => Promise<T>) => work(tx) }
      const reply = await verify(inside, { sheetById })
      expect(reply.checks[0]).toMatchObject({ ok: false, seen: 40 })
      expect(reply.checks[0]?.disagreements).toHaveLength(20)
      throw undo
    }),
  ).rejects.toBe(undo)
})

test('a record that was priced wrongly from the beginning is found by rating it again', async () => {
  await using own = await freshDatabase({ max: 2 })
  const other = createCharging({ database: own, clock: manualClock(START_MS) })
  const right = sampleRecord(1, { slice: null, ending: 'failed' })
  await other.ingest({ gateway: 'gw-0', records: [{ ...right, buyPico: `${BigInt(right.buyPico) - 1n}` }] })
  expect(await other.verify()).toMatchObject({ ok: true })
  const reply = await other.verify({ sheetById })
  expect(reply.checks.filter((check) => !check.ok)).toMatchObject([
    { name: RECORDS, disagreements: [expect.stringContaining('buys for')] },
  ])
})

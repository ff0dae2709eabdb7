import { afterAll, beforeAll, expect, test } from 'vitest'
import { script, sql, sqlState, violatedConstraint } from '#platform/postgres'
import { freshDatabase } from '../../../test/database.ts'
import type { FreshDatabase } from '../../../test/database.ts'
import type { PostingInput } from './index.ts'
import { balances, post, postings, verifyLedger } from './index.ts'

let database: FreshDatabase
beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(() => database[Symbol.asyncDispose]())

function topup(key: string, tenant: string, amountPico: bigint): PostingInput {
  const entries = [
    { account: '1010', amountPico },
    { account: `2000:${tenant}`, amountPico: -amountPico },
  ]
  return { key, kind: 'topup', memo: `top-up ${key}`, bookedAtMs: 1_000, entries, evidence: null, facts: 1 }
}

async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => expect.fail('it should have failed'),
    (error: unknown) => error,
  )
}

test('a key posts once: the same input gets the first answer, another input is refused', async () => {
  const first = await database.transaction((tx) => post(tx, topup('once', 'acme', 5n)))
  const again = await database.transaction((tx) => post(tx, { ...topup('once', 'acme', 5n), bookedAtMs: 2_000 }))
  expect(again).toEqual({ ...first, repeated: true })
  await expect(database.transaction((tx) => post(tx, topup('once', 'acme', 6n)))).rejects.toMatchObject({
    type: { code: 'posting_key_reused' },
  })
  expect(await balances(database, '2000:acme')).toMatchObject([{ amountPico: -5n, entries: 1 }])
})

test('postings from many connections make one chain without gaps, and the books stay whole', async () => {
  const keys = Array.from({ length: 60 }, (_, i) => `many-${i % 40}`)
  await Promise.all(keys.map((key) => database.transaction((tx) => post(tx, topup(key, `t${key.length}`, 7n)))))
  const checks = await verifyLedger(database)
  expect(checks.map((check) => [check.ok, check.disagreements])).toEqual([
    [true, []],
    [true, []],
    [true, []],
  ])
  expect(checks.map((check) => check.seen > 0)).toEqual([true, true, true])
  const page = await postings(database, { limit: 3 })
  expect(page.map((each) => each.seq)).toEqual([41, 40, 39])
  const next = await postings(database, { accounts: ['1010', '2000:acme'], limit: 2, beforeId: page[2]?.id ?? '' })
  expect(next.map((each) => each.seq)).toEqual([38, 37])
})

test('a wallet account cannot be overdrawn', async () => {
  const entries = [
    { account: '2000:poor', amountPico: 1n },
    { account: '1010', amountPico: -1n },
  ]
  const error = await failure(database.transaction((tx) => post(tx, { ...topup('overdraw', 'poor', 1n), entries })))
  expect(violatedConstraint(error)).toBe('wallet_not_overdrawn')
})

test('the database itself refuses to change or delete what was posted', async () => {
  for (const text of [
    `update ledger.posting set memo = 'x'`,
    'delete from ledger.posting',
    'truncate ledger.entry',
    'update ledger.entry set amount = amount + 1',
    'delete from ledger.entry',
  ]) {
    expect(sqlState(await failure(database.rows(script(text)))), text).toBe('23000')
  }
})

test('the database itself refuses a posting that does not sum to zero, and entries added later', async () => {
  const insert = (seq: number, count: number) => sql`
    insert into ledger.posting (seq, id, key, input_hash, kind, memo, booked_at_ms, entry_count, facts, prev_hash, hash)
    values (${seq}::bigint, ${`pst_x${seq}`}, ${`x${seq}`}, sha256(''), 'x', 'x', 0, ${count}::integer, 0, sha256(''), sha256(''))`
  const enter = (seq: number, account: string, amount: bigint) =>
    sql`insert into ledger.entry (posting_seq, account, amount) values (${seq}::bigint, ${account}, ${amount}::numeric)`
  const unbalanced = await failure(
    database.transaction(async (tx) => {
      await tx.rows(insert(900, 2))
      await tx.rows(enter(900, '1010', 5n))
      await tx.rows(enter(900, '2000:acme', -4n))
    }),
  )
  expect(violatedConstraint(unbalanced)).toBe('posting_sums_to_zero')
  const incomplete = await failure(database.transaction((tx) => tx.rows(insert(901, 1))))
  expect(violatedConstraint(incomplete)).toBe('posting_is_complete')
  expect(violatedConstraint(await failure(database.rows(enter(1, '2000:t6', 1n))))).toBe('posting_is_complete')
})

test('whatever is altered behind the triggers, the verification names it', async () => {
  const tampering: readonly (readonly [string, RegExp])[] = [
    [
      `update ledger.entry set amount = amount + 1 where posting_seq = 3 and account = '1010'`,
      /sum to 1 CNY,.*\n.*1010.*\n.*content does not match/,
    ],
    [
      `update ledger.entry set amount = amount * 2 where posting_seq = 3`,
      /balance.*\n.*balance.*\n.*content does not match/,
    ],
    [`update ledger.posting set memo = 'forged' where seq = 4`, /content does not match/],
    [`update ledger.posting set booked_at_ms = 1 where seq = 4`, /content does not match/],
    [`delete from ledger.entry where posting_seq = 5; delete from ledger.posting where seq = 5`, /follows 4/],
    [`delete from ledger.entry where posting_seq = 41; delete from ledger.posting where seq = 41`, /head of the chain/],
    [
      `update ledger.balance set amount = amount - 1 where account = '2000:acme'`,
      /2000:acme: balance -6, entries sum to -5/,
    ],
    [`delete from ledger.balance where account = '1010'`, /1010: balance missing/],
    [
      `update ledger.posting set hash = sha256('x') where seq = 6`,
      /content does not match.*\n.*does not continue posting number 6/,
    ],
  ]
  for (const [text, expected] of tampering) {
    const undo = new Error('undo')
    await expect(
      database.transaction(async (tx) => {
        await tx.rows(script(`set local session_replication_role = replica; ${text}`))
        const lines = (await verifyLedger(tx)).flatMap((check) => check.disagreements)
        expect(lines.join('\n'), text).toMatch(expected)
        throw undo
      }),
    ).rejects.toBe(undo)
  }
  expect((await verifyLedger(database)).every((check) => check.ok)).toBe(true)
})

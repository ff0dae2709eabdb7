import { expect, test } from 'vitest'
import { Problem } from '#kernel'
import { sql } from '#platform/postgres'
import type { Database } from '#platform/postgres'
import { manualClock } from '#platform/clock'
import { JOURNAL, YUAN, expectCoherent } from '../../../../test/charging.ts'
import { freshDatabase } from '../../../../test/database.ts'
import { START_MS, sampleRecord } from '../../../../test/sample-usage.ts'
import { createCharging } from '../index.ts'

const GATEWAYS = 12

/** Gateways with a slice each of one wallet. */
async function hotWallet(database: Database) {
  const charging = createCharging({ database, clock: manualClock(START_MS) })
  await charging.topup({ tenant: 'hot', amountPico: 100n * YUAN, reference: 'p' })
  const grant = async (index: number, seq: number, bucket = 'wallet:hot') => {
    const ask = { gateway: `gw-${index}`, epoch: 1, seq, bucket, min: `${YUAN}`, want: `${YUAN}` }
    const reply = await charging.grant(ask)
    return reply.outcome === 'granted' ? reply.slice.id : reply.outcome
  }
  for (let n = 0; n < GATEWAYS; n++) await charging.register({ gateway: `gw-${n}`, journal: JOURNAL })
  return { charging, grant }
}

const codeOf = (error: unknown): string => (error instanceof Problem ? error.type.code : String(error))

const postings = async (database: Database): Promise<number> => {
  const [row] = await database.rows<{ many: bigint }>(
    sql`select count(*) as many from ledger.posting where kind = 'usage'`,
  )
  return Number(row?.many)
}

test('deliveries that wait are booked together, each answered for itself, each record once', async () => {
  await using database = await freshDatabase({ max: 6 })
  const { charging, grant } = await hotWallet(database)
  const slices = await Promise.all(Array.from({ length: GATEWAYS }, (_, n) => grant(n, 1)))
  const recordsOf = (n: number) =>
    Array.from({ length: 5 }, (_, i) =>
      sampleRecord(n * 100 + i, { gateway: `gw-${n}`, tenant: 'hot', slice: slices[n] ?? '' }),
    )
  const deliver = (n: number) => charging.ingest({ gateway: `gw-${n}`, records: recordsOf(n) })
  const [stolen] = recordsOf(0)
  if (!stolen) throw new Error('no record')
  const work = [
    ...Array.from({ length: GATEWAYS }, (_, n) => deliver(n)),
    deliver(3),
    // What is there already, what is altered, and what is none are kept aside by themselves.
    charging.ingest({ gateway: 'gw-5', records: [stolen] }),
    charging.ingest({ gateway: 'gw-0', records: [{ ...stolen, note: 'altered' }] }),
    charging.ingest({ gateway: 'gw-1', records: [], malformed: [{ id: 'x', text: '{}' }] }),
  ]
  const replies = await Promise.all(work)
  const accepted = { accepted: 5, duplicates: 0, quarantined: [] }
  expect(replies.slice(0, GATEWAYS)).toEqual(Array.from({ length: GATEWAYS }, () => accepted))
  expect(replies.slice(GATEWAYS)).toEqual([
    { accepted: 0, duplicates: 5, quarantined: [] },
    { accepted: 0, duplicates: 1, quarantined: [] },
    { accepted: 0, duplicates: 0, quarantined: [{ id: stolen.id, reason: 'altered_duplicate' }] },
    { accepted: 0, duplicates: 0, quarantined: [{ id: 'x', reason: 'malformed' }] },
  ])
  expect(await postings(database)).toBeLessThan(GATEWAYS)
  for (const { id } of await charging.quarantine({ limit: 9 }))
    await charging.dismiss({ id, by: 'ann', reason: 'test' })
  await expectCoherent(charging)
})

test('a delivery that the database refuses spoils no other that came with it', async () => {
  await using plain = await freshDatabase({ max: 6 })
  const { grant } = await hotWallet(plain)
  const slices = await Promise.all(Array.from({ length: GATEWAYS }, (_, n) => grant(n, 1)))
  // The database has a bad day whenever it is to take this one in.
  const poison = sampleRecord(700, { gateway: 'gw-7', tenant: 'hot', slice: slices[7] ?? '' })
  const database: Database = {
    ...plain,
    transaction: (work, isolation) =>
      plain.transaction(
        (tx) =>
          work({
            ...tx,
            copy(statement, lines) {
              if (lines.includes(poison.id)) throw new Error('disk on fire')
              return tx.copy(statement, lines)
            },
          }),
        isolation,
      ),
  }
  const charging = createCharging({ database, clock: manualClock(START_MS) })
  const deliver = (n: number) => {
    const record =
      n === 7 ? poison : sampleRecord(n * 100, { gateway: `gw-${n}`, tenant: 'hot', slice: slices[n] ?? '' })
    return charging.ingest({ gateway: `gw-${n}`, records: [record] })
  }
  const ended = await Promise.allSettled(Array.from({ length: GATEWAYS }, (_, n) => deliver(n)))
  expect(ended.map(({ status }) => status)).toEqual(
    Array.from({ length: GATEWAYS }, (_, n) => (n === 7 ? 'rejected' : 'fulfilled')),
  )
  await expectCoherent(charging)
})

test('slices of one wallet that are asked for at once are granted in a few transactions, and never more than there is', async () => {
  await using plain = await freshDatabase({ max: 16 })
  let transactions = 0
  const database: Database = {
    ...plain,
    transaction(work, isolation) {
      transactions++
      return plain.transaction(work, isolation)
    },
  }
  const { charging, grant } = await hotWallet(database)
  transactions = 0
  const asked = Array.from({ length: 10 * GATEWAYS }, (_, n) => grant(n % GATEWAYS, 1 + Math.floor(n / GATEWAYS)))
  const reply = await Promise.all(asked)
  expect(transactions).toBeLessThan(10)
  expect(reply.filter((each) => each === 'insufficient_balance')).toHaveLength(20)
  expect(new Set(reply.filter((each) => each.startsWith('slc_'))).size).toBe(100)
  expect(await charging.balance('hot')).toMatchObject({ availablePico: '0', escrowedPico: `${100n * YUAN}` })
  // A number that was used for another bucket is refused by itself; the same again is the same again.
  await charging.topup({ tenant: 'cold', amountPico: YUAN, reference: 'q' })
  const mixed = await Promise.allSettled([grant(0, 900, 'wallet:cold'), grant(0, 1, 'wallet:cold'), grant(1, 1)])
  expect(mixed.map((each) => (each.status === 'fulfilled' ? each.value : codeOf(each.reason)))).toEqual([
    'slc_gw-0_1_900',
    'grant_reused',
    'slc_gw-1_1_1',
  ])
  await expectCoherent(charging)
})

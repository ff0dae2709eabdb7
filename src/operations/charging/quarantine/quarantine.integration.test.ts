import { expect, test } from 'vitest'
import { manualClock } from '#platform/clock'
import { sql } from '#platform/postgres'
import { JOURNAL, YUAN, expectCoherent, openSlice } from '../../../../test/charging.ts'
import { freshDatabase } from '../../../../test/database.ts'
import { START_MS, sampleRecord } from '../../../../test/sample-usage.ts'
import { createCharging } from '../index.ts'
import type { Charging } from '../index.ts'

const clock = manualClock(START_MS)
const by = 'ann@example.com'

/** A record whose slice is not granted yet. */
const early = sampleRecord(1, { tenant: 'acme', gateway: 'gw-0', slice: 'slc_gw-0_2_1' })

async function keptAside(charging: Charging): Promise<string> {
  await charging.register({ gateway: 'gw-0', journal: JOURNAL })
  await charging.ingest({ gateway: 'gw-0', records: [early] })
  const [kept] = await charging.quarantine({ limit: 5 })
  expect(kept).toMatchObject({ record: early.id, gateway: 'gw-0', reason: 'unknown_slice', state: 'open' })
  return kept?.id ?? ''
}

test('a record is posted once, however many operators try it again and however often it is delivered meanwhile', async () => {
  await using own = await freshDatabase({ max: 8 })
  const charging = createCharging({ database: own, clock })
  const id = await keptAside(charging)
  expect(await charging.retry({ id, by })).toMatchObject({ state: 'open', reason: 'unknown_slice' })
  await openSlice(charging, { tenant: 'acme', gateway: 'gw-0', amount: YUAN })
  const retries = await Promise.all([1, 2, 3].map(() => charging.retry({ id: id.slice(0, 8), by })))
  expect(retries.map(({ state }) => state)).toEqual(['accepted', 'accepted', 'accepted'])
  await charging.ingest({ gateway: 'gw-0', records: [early] })
  expect(await charging.quarantine({ limit: 5 })).toEqual([])
  expect(await own.rows(sql`select count(*)::int as count from charging.usage_record`)).toEqual([{ count: 1 }])
  expect(await charging.balance('acme')).toMatchObject({ postedPico: `${2n * YUAN - BigInt(early.sellPico)}` })
  expect(await own.rows(sql`select decided_by from charging.usage_quarantine`)).toEqual([{ decided_by: by }])
  await expect(charging.dismiss({ id, by, reason: 'late' })).rejects.toMatchObject({
    type: { code: 'quarantine_decided' },
  })
  await expectCoherent(charging)
})

test('a dismissed record that is delivered or tried again is not posted, and who dismissed it stays on file', async () => {
  await using own = await freshDatabase()
  const charging = createCharging({ database: own, clock })
  const id = await keptAside(charging)
  expect(await charging.dismiss({ id, by, reason: 'double' })).toMatchObject({
    state: 'dismissed',
    decidedBy: by,
    decidedReason: 'double',
    decidedAtMs: clock.nowMs(),
  })
  const { slice } = await openSlice(charging, { tenant: 'acme', gateway: 'gw-0', amount: YUAN })
  expect(slice).toBe(early.slice)
  expect(await charging.ingest({ gateway: 'gw-0', records: [early] })).toEqual({
    accepted: 0,
    duplicates: 0,
    quarantined: [{ id: early.id, reason: 'dismissed' }],
  })
  await expect(charging.retry({ id, by })).rejects.toMatchObject({ type: { code: 'quarantine_decided' } })
  expect(await charging.dismiss({ id, by: 'bob', reason: 'again' })).toMatchObject({ decidedBy: by })
  // The gateway does not count it either, so its slice goes back.
  expect(await charging.close({ gateway: 'gw-0', journal: JOURNAL, slice, records: 0 })).toEqual({ outcome: 'closed' })
  await expectCoherent(charging)
})

test('dismissing and delivering at once ends in one of the two, never in both', async () => {
  for (let round = 0; round < 5; round++) {
    await using own = await freshDatabase({ max: 4 })
    const charging = createCharging({ database: own, clock })
    const id = await keptAside(charging)
    await openSlice(charging, { tenant: 'acme', gateway: 'gw-0', amount: YUAN })
    const [reply] = await Promise.all([
      charging.ingest({ gateway: 'gw-0', records: [early] }),
      charging.dismiss({ id, by, reason: 'race' }).catch(() => undefined),
    ])
    const [row] = await own.rows<{ state: string }>(sql`select state from charging.usage_quarantine`)
    expect(row?.state).toBe(reply.accepted === 1 ? 'accepted' : 'dismissed')
    await expectCoherent(charging)
  }
})

test('what is no record stays, and an unknown or ambiguous id is told', async () => {
  await using own = await freshDatabase()
  const charging = createCharging({ database: own, clock })
  await charging.ingest({ gateway: 'gw-0', records: [], malformed: [{ id: 'unreadable', text: '{"x":' }] })
  const [kept] = await charging.quarantine({ limit: 5 })
  expect(await charging.retry({ id: kept?.id ?? '', by })).toMatchObject({ state: 'open', reason: 'malformed' })
  for (const id of ['', '00000000', 'unreadable', '%%%%%%%%'])
    await expect(charging.retry({ id, by })).rejects.toMatchObject({ type: { code: 'unknown_quarantined' } })
})

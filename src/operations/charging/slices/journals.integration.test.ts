import { expect, test } from 'vitest'
import { manualClock } from '#platform/clock'
import { sql } from '#platform/postgres'
import { YUAN, expectCoherent, openSlice } from '../../../../test/charging.ts'
import { freshDatabase } from '../../../../test/database.ts'
import { START_MS, sampleRecord } from '../../../../test/sample-usage.ts'
import { createCharging } from '../index.ts'

const clock = manualClock(START_MS)
const [OURS, THEIRS] = ['journal-ours', 'journal-theirs']

test('two installations on one database and one gateway id neither see nor close the slices of each other', async () => {
  await using own = await freshDatabase()
  const charging = createCharging({ database: own, clock })
  const ours = await openSlice(charging, { tenant: 'acme', gateway: 'gw-0', amount: YUAN, journal: OURS })
  const theirs = await openSlice(charging, { tenant: 'zeta', gateway: 'gw-0', amount: YUAN, journal: THEIRS })
  const list = async (journal: string) =>
    (await charging.openSlices({ gateway: 'gw-0', journal })).slices.map(({ id }) => id)
  expect(await list(OURS)).toEqual([ours.slice])
  expect(await list(THEIRS)).toEqual([theirs.slice])
  for (const [journal, slice] of [
    [OURS, theirs.slice],
    [THEIRS, ours.slice],
  ] as const) {
    await expect(charging.close({ gateway: 'gw-0', journal, slice, records: 0 })).rejects.toMatchObject({
      type: { code: 'slice_of_other_journal', status: 409 },
    })
  }
  const grant = { gateway: 'gw-0', bucket: 'wallet:acme', min: '1', want: '1' }
  expect(await charging.grant({ ...grant, epoch: ours.epoch, seq: 2 })).toEqual({ outcome: 'fenced' })
  // The fenced one still delivers what it served, and gives its own slice back.
  expect(await charging.ingest({ gateway: 'gw-0', records: [sampleRecord(1, ours)] })).toMatchObject({ accepted: 1 })
  expect(await charging.close({ gateway: 'gw-0', journal: OURS, slice: ours.slice, records: 1 })).toEqual({
    outcome: 'closed',
  })
  expect((await charging.slices({ limit: 9 })).map(({ id }) => id)).toEqual([theirs.slice])
  await expectCoherent(charging)
})

test('the slices of a lost journal stay set aside, and are settled to the last record when it comes back', async () => {
  await using own = await freshDatabase()
  const charging = createCharging({ database: own, clock })
  const old = await openSlice(charging, { tenant: 'acme', gateway: 'gw-0', amount: YUAN, journal: OURS })
  expect(await charging.register({ gateway: 'gw-0', journal: THEIRS })).toEqual({ epoch: old.epoch + 1 })
  expect(await charging.openSlices({ gateway: 'gw-0', journal: THEIRS })).toEqual({ slices: [] })
  expect(await charging.balance('acme')).toMatchObject({ escrowedPico: `${YUAN}` })
  expect(await charging.slices({ limit: 9 })).toMatchObject([
    { id: old.slice, journal: OURS, isOfPresentJournal: false },
  ])
  await charging.register({ gateway: 'gw-0', journal: OURS })
  expect((await charging.openSlices({ gateway: 'gw-0', journal: OURS })).slices).toMatchObject([{ id: old.slice }])
  expect(await charging.ingest({ gateway: 'gw-0', records: [sampleRecord(1, old)] })).toMatchObject({
    accepted: 1,
    quarantined: [],
  })
  await charging.close({ gateway: 'gw-0', journal: OURS, slice: old.slice, records: 1 })
  expect(await charging.balance('acme')).toMatchObject({ escrowedPico: '0' })
  await expectCoherent(charging)
})

test('slices from before journals had names go to the first journal that registers, and to no other', async () => {
  await using own = await freshDatabase()
  const charging = createCharging({ database: own, clock })
  const old = await openSlice(charging, { tenant: 'acme', gateway: 'gw-0', amount: YUAN, journal: OURS })
  await own.rows(sql`update charging.slice set journal = null`)
  await own.rows(sql`update charging.gateway set journal = null`)
  await charging.register({ gateway: 'gw-1', journal: THEIRS })
  await charging.register({ gateway: 'gw-0', journal: OURS })
  await charging.register({ gateway: 'gw-0', journal: THEIRS })
  expect(await charging.openSlices({ gateway: 'gw-0', journal: THEIRS })).toEqual({ slices: [] })
  expect((await charging.openSlices({ gateway: 'gw-0', journal: OURS })).slices).toMatchObject([{ id: old.slice }])
})

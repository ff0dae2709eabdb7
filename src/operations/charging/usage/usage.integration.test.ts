import { expect, test } from 'vitest'
import type { UsageRecord } from '#contract'
import { manualClock } from '#platform/clock'
import { YUAN, openSlice } from '../../../../test/charging.ts'
import { freshDatabase } from '../../../../test/database.ts'
import { START_MS, sampleRecord } from '../../../../test/sample-usage.ts'
import { createCharging } from '../index.ts'

test('the views agree with the records: sums by group, by minute, requests, postings, explanation', async () => {
  await using own = await freshDatabase()
  const at = manualClock(START_MS + 600_000)
  const charging = createCharging({ database: own, clock: at })
  const acme = await openSlice(charging, { tenant: 'acme', gateway: 'gw-0', amount: 10n * YUAN })
  const zeta = await openSlice(charging, { tenant: 'zeta', gateway: 'gw-0', amount: 10n * YUAN })
  const records = Array.from({ length: 50 }, (_, n) =>
    sampleRecord(n * 300, { ...(n % 2 === 0 ? acme : zeta), ending: n % 10 === 0 ? 'failed' : 'completed' }),
  )
  await charging.ingest({ gateway: 'gw-0', records })
  const sell = (some: readonly UsageRecord[]) => `${some.reduce((sum, record) => sum + BigInt(record.sellPico), 0n)}`
  const tenants = await charging.usage({ by: 'tenant' })
  expect(tenants.map((row) => [row.group, row.requests, row.failed, row.sellPico])).toEqual([
    ['acme', 25, 5, sell(records.filter((record) => record.tenant === 'acme'))],
    ['zeta', 25, 0, sell(records.filter((record) => record.tenant === 'zeta'))],
  ])
  for (const by of ['service', 'supplier', 'key', 'hour'] as const) {
    const rows = await charging.usage({ by, tenant: 'acme' })
    expect(rows.reduce((sum, row) => sum + row.requests, 0)).toBe(25)
    expect(`${rows.reduce((sum, row) => sum + BigInt(row.sellPico), 0n)}`).toBe(tenants[0]?.sellPico)
  }
  expect((await charging.usage({ by: 'hour' }))[0]?.group).toMatch(/^\d{4}-\d\d-\d\dT\d\d:00Z$/)
  const minute = START_MS - (START_MS % 60_000) + 60_000
  const inMinute = records.filter((record) => record.completedAtMs >= minute && record.completedAtMs < minute + 60_000)
  expect(inMinute.length).toBeGreaterThan(0)
  expect(
    (await charging.usage({ by: 'key', fromMs: minute, toMs: minute + 60_000 })).reduce(
      (sum, row) => sum + row.requests,
      0,
    ),
  ).toBe(inMinute.length)
  const points = await charging.live({ minutes: 12 })
  expect(points).toHaveLength(12)
  expect(points.reduce((sum, point) => sum + point.requests, 0)).toBe(50)
  const point = points.find((each) => each.minuteMs === minute)
  expect(point?.sellPico).toBe(sell(inMinute))
  expect(point?.ttftMsP50).toBeGreaterThan(0)
  expect(point?.outputTokensPerSecond).toBeGreaterThan(0)
  expect(points.find((each) => each.requests === 0)).toMatchObject({ ttftMsP50: null, outputTokensPerSecond: null })
  const page = await charging.requests({ limit: 10 })
  expect(page.map((row) => row.id)).toEqual(
    records
      .map((record) => record.id)
      .toReversed()
      .slice(0, 10),
  )
  expect(
    (await charging.requests({ limit: 99, tenant: 'zeta', before: page[9]?.id ?? '' })).every(
      (row) => row.tenant === 'zeta' && row.id < (page[9]?.id ?? ''),
    ),
  ).toBe(true)
  const [mine, payment, ...more] = await charging.postings({ tenant: 'acme', limit: 5 })
  expect(mine).toMatchObject({ kind: 'usage', records: 50 })
  expect(mine?.entries.find((entry) => entry.account === '2000:acme')?.amountPico).toBe(tenants[0]?.sellPico)
  expect(payment).toMatchObject({ kind: 'topup', memo: 'top-up pay-acme-gw-0' })
  expect(more).toEqual([])
  const [all, next] = await charging.postings({ limit: 2 })
  expect(all?.entries.length).toBeGreaterThan(4)
  expect((await charging.postings({ limit: 1, before: all?.id ?? '' }))[0]?.id).toBe(next?.id)
  const told = await charging.explain(records[1]?.id ?? '')
  expect(told.record).toEqual(records[1])
  expect(told.posting?.id).toBe(all?.id)
  expect(told.shares.reduce((sum, share) => sum + BigInt(share.amountPico), 0n)).toBe(0n)
  expect(told.shares.find((share) => share.account === '2000:zeta')?.amountPico).toBe(records[1]?.sellPico)
  await expect(charging.explain('req_none')).rejects.toMatchObject({ type: { code: 'unknown_request' } })
})

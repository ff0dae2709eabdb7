import { expect, test } from 'vitest'
import { NOVEMBER_MS, billingFixture, recordsIn } from '../../../../test/billing.ts'

const DAY_MS = 86_400_000
const DAY = '2026-11-23'

async function worked() {
  const own = await billingFixture()
  const slice = await own.postpaid('acme', 100n)
  const records = recordsIn(40, NOVEMBER_MS, slice)
  await own.charging.ingest({ gateway: 'gw-0', records: records.slice(0, 20) })
  await own.charging.ingest({ gateway: 'gw-0', records: records.slice(20) })
  return { ...own, records, [Symbol.asyncDispose]: () => own[Symbol.asyncDispose]() }
}

test('produced = rated = posted = billed, before and after the month is invoiced', async () => {
  await using it = await worked()
  const rated = it.records.reduce((sum, record) => sum + BigInt(record.sellPico), 0n)
  const sum = (
    name: 'ratedPico' | 'postedPico' | 'billedPico' | 'toBeBilledPico',
    found: Awaited<ReturnType<typeof it.billing.reconcile>>,
  ) => found.services.reduce((total, service) => total + service[name], 0n)
  const before = await it.billing.reconcile(DAY)
  expect(before).toMatchObject({ ok: true, differences: [] })
  expect([
    sum('ratedPico', before),
    sum('postedPico', before),
    sum('billedPico', before),
    sum('toBeBilledPico', before),
  ]).toEqual([rated, rated, 0n, rated])
  const produced = it.records.reduce((total, { tokens }) => total + Object.values(tokens).reduce((a, b) => a + b, 0), 0)
  expect(before.services.reduce((total, service) => total + service.producedTokens, 0n)).toBe(BigInt(produced))
  it.clock.advance(30 * DAY_MS)
  await it.billing.run({ by: 'test' })
  const after = await it.billing.reconcile(DAY)
  expect([sum('billedPico', after), sum('toBeBilledPico', after), after.ok]).toEqual([rated, 0n, true])
  expect(await it.billing.reconcile('2026-11-24')).toEqual({
    day: '2026-11-24',
    ok: true,
    services: [],
    differences: [],
  })
  for (const day of ['2026-02-30', 'today', ''])
    await expect(it.billing.reconcile(day)).rejects.toMatchObject({ type: { code: 'invalid_day' } })
})

const TAMPERING: Readonly<Record<string, readonly [stage: string, change: string]>> = {
  'a record that says less than its column': [
    'rated',
    `update charging.usage_record set record = jsonb_set(record::jsonb, '{sellPico}', '"1"') where id = (select min(id) from charging.usage_record)`,
  ],
  'a column that says more than its record': [
    'rated',
    `update charging.usage_record set output = output + 1 where id = (select max(id) from charging.usage_record)`,
  ],
  'revenue that no record explains': [
    'posted',
    `update ledger.entry set amount = amount - 5 where account = '4000:babbler' and posting_seq = (select max(posting_seq) from ledger.entry where account = '4000:babbler')`,
  ],
  'a roll-up that forgot something': [
    'billed',
    `update billing.usage_day set sell = sell - 7 where service = 'babbler'`,
  ],
}

for (const [name, [stage, change]] of Object.entries(TAMPERING))
  test(`${name} is found, with its requests`, async () => {
    await using it = await worked()
    await it.billing.rollUp()
    await it.corrupt(
      `alter table charging.usage_record disable trigger user; alter table ledger.entry disable trigger user; ${change}`,
    )
    const found = await it.billing.reconcile(DAY)
    expect(found.ok).toBe(false)
    const difference = found.differences.find((each) => each.stage === stage)
    expect(difference).toBeDefined()
    if (difference?.posting) expect(difference.requests.length).toBeGreaterThan(0)
    if (stage === 'posted')
      expect(found.services.find((service) => service.service === 'babbler')).toSatisfy(
        (service: { postedPico: bigint; ratedPico: bigint }) => service.postedPico - service.ratedPico === 5n,
      )
  })

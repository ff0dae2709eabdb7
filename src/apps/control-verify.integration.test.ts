import { expect, test } from 'vitest'
import { FILE, NOW_MS, controlFixture, recordOf } from '../../test/control.ts'

const DAY_MS = 86_400_000

test("verify reads the catalogue's sheets with what they price and when, and names a record rated by the wrong one", async () => {
  await using it = await controlFixture()
  const verify = async () => it.charging.verify(await it.catalogue.ratingSources())
  expect(await verify()).toMatchObject({ ok: true })

  const nextDay = new Date(NOW_MS + DAY_MS).toISOString()
  const next = `, { id: sell-2, validFrom: '${nextDay}', taxPercent: 6, perMillion: { uncachedInput: 2, output: 8 } }]`
  const text = FILE.replace('perMillion: { uncachedInput: 2, output: 8 } }]', (found) => found.slice(0, -1) + next)
  await it.catalogue.apply({ text, fileName: 'f.yaml', dryRun: false })
  expect(await it.catalogue.sheet('sell-1')).toMatchObject({
    service: 'babbler',
    side: 'sell',
    supplier: null,
    validToMs: NOW_MS + DAY_MS,
  })
  expect(await it.catalogue.sheet('secret-buy')).toMatchObject({
    side: 'buy',
    supplier: 'secret-supplier',
    model: 'secret-model',
  })

  // All three cost the same by every sheet: only what the sheet is for tells them apart.
  const id = (n: number) => `req_${String(n).padStart(26, '0')}`
  const records = [
    { ...recordOf(id(11), 'acme', it.acmeSlice), sellSheet: 'sell-2' },
    { ...recordOf(id(12), 'acme', it.acmeSlice), service: 'only-globex' },
    { ...recordOf(id(13), 'acme', it.acmeSlice), acceptedAtMs: NOW_MS + 2 * DAY_MS },
  ]
  expect(await it.charging.ingest({ gateway: 'gw-0', records })).toMatchObject({ accepted: 3 })
  const { checks } = await verify()
  expect(checks.filter((check) => !check.ok).flatMap((check) => check.disagreements)).toEqual([
    expect.stringContaining(`${id(11)}: sell sheet sell-2 was not in force yet`),
    expect.stringContaining(`${id(12)}: buy sheet secret-buy prices babbler, not only-globex`),
    expect.stringContaining(`${id(13)}: sell sheet sell-1 was no longer in force`),
  ])
})

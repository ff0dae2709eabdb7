import { expect, test } from 'vitest'
import { createCharging } from '#charging'
import { Snapshot } from '#contract'
import { createIdentity } from '#identity'
import { manualClock } from '#platform/clock'
import { sql } from '#platform/postgres'
import { freshDatabase } from '../../../../test/database.ts'
import { createCatalogue } from '../index.ts'

const NOON = '2026-11-23T12:00:00+08:00'
const HOUR = 3_600_000

const FILE = `
links: [{ from: south, to: north, rttMs: 30, mebibyteYuan: 0.000002 }]
suppliers:
  - id: vendor
    kind: openai-compatible
    baseUrl: http://127.0.0.1:9/v1
    region: north
    requestsPerMinute: 600
    learnLimitBy: latency
    commitments:
      - { id: year, kind: take_or_pay, services: [chat], from: 2026-11-01, to: 2027-11-01, tokens: 1000000 }
tenants:
  - { id: acme, strategy: effect, weight: 3, regions: [north], seesSuppliers: true }
services:
  - id: chat
    contextTokens: 4096
    maxOutputTokens: 1024
    tokenizer: { kind: bytes, bytesPerToken: 4 }
    regions: [north]
    sla: [{ class: standard, ttftMs: 2000, tpotMs: 50, attainmentPercent: 99.9, missYuan: 0.003 }]
    sell: [{ validFrom: 2026-01-01, taxPercent: 6, perMillion: { uncachedInput: 2, output: 8 } }]
    deployments:
      - { supplier: vendor, model: big, priority: 1, contextTokens: 2048, features: [streaming, tools], buy: [{ validFrom: 2026-01-01, taxPercent: 6, perMillion: { uncachedInput: 1, output: 2 } }] }
`

async function build() {
  const database = await freshDatabase()
  const clock = manualClock(Date.parse(NOON))
  const identity = createIdentity({ database, clock })
  const catalogue = createCatalogue({ database, clock, identity, money: createCharging({ database, clock }) })
  return {
    clock,
    database,
    identity,
    catalogue,
    apply: async (text: string) =>
      (await catalogue.apply({ text, fileName: 'f.yaml', dryRun: false })).changes.filter(
        ({ action }) => action !== 'unchanged',
      ),
    /** As ingest writes it: into the minute and into the hour. */
    deliver: async (atMs: number, tokens: number) => {
      for (const [span, ms] of [
        ['minute', 60_000],
        ['hour', HOUR],
      ] as const)
        await database.rows(sql`
          insert into charging.usage_rollup as old (span, start_ms, tenant, service, supplier, key, requests, failed, uncached_input,
                                                    cache_write, cache_read, output, reasoning, paced_tokens, paced_ms, ttft, sell, buy)
          values (${span}, ${atMs - (atMs % ms)}::bigint, 'acme', 'chat', 'vendor', 'k', 1, 0, 0, 0, 0, ${tokens}::bigint, 0, 0, 0, '{}', 0, 0)
              on conflict (span, start_ms, tenant, service, supplier, key) do update set output = old.output + excluded.output
        `)
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}

test('what the file says of routing reaches gateways and is shown as it was declared; applied again it changes nothing', async () => {
  await using it = await build()
  await it.apply(FILE)
  const snapshot = await it.catalogue.snapshot()
  expect(Snapshot.strict().parse(snapshot)).toEqual(snapshot)
  expect(snapshot).toMatchObject({
    links: [{ from: 'north', to: 'south', rttMs: 30, mebibytePico: '2000000' }],
    suppliers: [{ id: 'vendor', region: 'north', requestsPerMinute: 600, learnLimitBy: 'latency' }],
    tenants: [{ id: 'acme', strategy: 'effect', weight: 3, regions: ['north'], seesSuppliers: true }],
    services: [
      {
        regions: ['north'],
        sla: [{ class: 'standard', ttftMs: 2000, tpotMs: 50, attainmentPpm: 999_000, missPico: '3000000000' }],
        deployments: [{ contextTokens: 2048, features: ['streaming', 'tools'] }],
      },
    ],
    commitments: [
      {
        id: 'year',
        supplier: 'vendor',
        services: ['chat'],
        terms: { kind: 'take_or_pay', tokens: 1_000_000 },
        delivered: 0,
      },
    ],
  })
  expect(await it.apply(FILE)).toEqual([])
  expect((await it.catalogue.snapshot()).version).toBe(snapshot.version)
  const [supplier] = await it.catalogue.suppliers()
  expect(supplier).toMatchObject({ region: 'north', requestsPerMinute: 600, commitments: [{ id: 'year' }] })
  const [own] = await it.catalogue.services()
  expect(own).toMatchObject({ sla: [{ missPico: '3000000000' }], deployments: [{ features: ['streaming', 'tools'] }] })
  const [theirs] = await it.catalogue.services('acme')
  expect(theirs?.sla).toEqual([{ class: 'standard', ttftMs: 2000, tpotMs: 50, attainmentPpm: 999_000 }])
  expect(theirs?.deployments).toEqual([])
})

test('what is left out of a supplier, a tenant or a service is taken back; a contract that is left out ends', async () => {
  await using it = await build()
  await it.apply(FILE)
  const less = FILE.replace(/ {4}commitments:\n.*\n/, '')
    .replace('    region: north\n', '')
    .replace(', strategy: effect', '')
    .replace('    regions: [north]\n', '')
  expect(await it.apply(less)).toEqual([
    { kind: 'supplier', id: 'vendor', action: 'updated' },
    { kind: 'tenant', id: 'acme', action: 'updated' },
    { kind: 'service', id: 'chat', action: 'updated' },
    { kind: 'commitment', id: 'year', action: 'retired' },
  ])
  const snapshot = await it.catalogue.snapshot()
  expect(snapshot.commitments).toBeUndefined()
  expect(snapshot.suppliers[0]).not.toHaveProperty('region')
  expect(snapshot.tenants[0]).not.toHaveProperty('strategy')
  expect(snapshot.services[0]).not.toHaveProperty('regions')
})

test('gateways are told how far a contract is, at most once a minute, and only if it went on', async () => {
  await using it = await build()
  const noon = it.clock.nowMs()
  // Four days ago; what came before the contract does not count.
  await it.deliver(noon - 96 * HOUR, 1_000)
  await it.deliver(noon - 1_000 * HOUR, 9_999)
  await it.apply(FILE)
  const { version, commitments } = await it.catalogue.snapshot()
  expect(commitments).toMatchObject([{ delivered: 1_000, countedToMs: noon }])
  const told = await it.catalogue.waitForSnapshot(version, 5_000)
  expect(told?.version).toBe(version + 1)
  await it.deliver(noon - 24 * HOUR, 200)
  await it.deliver(noon - 20 * 60_000, 30)
  expect(await it.catalogue.waitForSnapshot(version + 1, 300)).toBeUndefined()
  it.clock.advance(60_000)
  const next = await it.catalogue.waitForSnapshot(version + 1, 5_000)
  expect(next?.commitments).toMatchObject([{ delivered: 1_230, countedToMs: noon + 60_000 }])
  it.clock.advance(60_000)
  expect(await it.catalogue.waitForSnapshot(version + 2, 300)).toBeUndefined()
  await it.deliver(noon + 30_000, 5)
  it.clock.advance(60_000)
  expect((await it.catalogue.waitForSnapshot(version + 2, 5_000))?.commitments?.[0]?.delivered).toBe(1_235)
})

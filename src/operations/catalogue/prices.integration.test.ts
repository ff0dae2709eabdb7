import { expect, test } from 'vitest'
import { createCharging } from '#charging'
import { Snapshot } from '#contract'
import type { FactoryMistake } from '#contract'
import { createIdentity } from '#identity'
import { Problem, parseCalendars, parsePriceSheet, pricesFor } from '#kernel'
import { manualClock } from '#platform/clock'
import { sql } from '#platform/postgres'
import { createCatalogue } from './service.ts'
import { freshDatabase } from '../../../test/database.ts'

const START_MS = Date.parse('2026-11-23T12:00:00+08:00')

const FILE = `calendars:
  - { id: cn, name: 中国, source: notice, coversFrom: 2026-01-01, coversTo: 2026-12-31, holidays: [2026-10-01..2026-10-07], workedWeekendDays: [2026-10-10] }
suppliers:
  - { id: vendor, kind: openai-compatible, baseUrl: http://127.0.0.1:9/v1 }
tenants:
  - { id: acme, status: restricted, projects: [{ id: research, name: Research }] }
keys:
  - { id: demo, tenant: acme, project: research }
services:
  - id: chat
    contextTokens: 256
    maxOutputTokens: 128
    tokenizer: { kind: bytes, bytesPerToken: 4 }
    sell:
      - validFrom: 2026-01-01
        taxPercent: 6
        perMillion: { uncachedInput: 4.5, cacheRead: 0.15, output: 13.5 }
        peak: { calendar: cn, hours: [09:00-12:00, 14:00-18:00] }
        variants: [{ when: { period: peak }, multiplier: 2 }]
    deployments:
      - { supplier: vendor, model: big, buy: [{ validFrom: 2026-01-01, taxPercent: 6, perMillion: { uncachedInput: 1, output: 2 } }] }
tables:
  - id: standard
    name: Standard token
    versions:
      - { validFrom: 2026-01-01, weights: [{ service: chat, perToken: { uncachedInput: 1, cacheRead: 0.2, output: 4 } }] }
`
const NEXT_VERSION =
  '      - { validFrom: 2027-01-01, weights: [{ service: chat, perToken: { uncachedInput: 2, output: 8 } }] }\n'

async function build() {
  const database = await freshDatabase()
  const clock = manualClock(START_MS)
  const identity = createIdentity({ database, clock })
  const charging = createCharging({ database, clock })
  const catalogue = createCatalogue({ database, clock, identity, money: charging })
  const apply = (text: string, dryRun = false) => catalogue.apply({ text, fileName: 'f.yaml', dryRun })
  return {
    clock,
    database,
    identity,
    catalogue,
    apply,
    changes: async (text: string) => (await apply(text)).changes.filter(({ action }) => action !== 'unchanged'),
    mistakes: async (text: string) => {
      const error = await apply(text).then(
        () => undefined,
        (cause: unknown) => cause,
      )
      if (!(error instanceof Problem)) throw new Error('expected a problem', { cause: error })
      return (error.params['mistakes'] as readonly FactoryMistake[]).map(({ path, message }) => `${path} ${message}`)
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}

test('gateways and verify are told the same prices, peak hours, weights and holidays; applying again changes nothing', async () => {
  await using it = await build()
  expect(new Set((await it.apply(FILE)).changes.map(({ action }) => action))).toEqual(new Set(['created']))
  const snapshot = await it.catalogue.snapshot()
  expect(Snapshot.strict().parse(snapshot)).toEqual(snapshot)
  const sheet = snapshot.services[0]?.sellSheets[0]
  expect(sheet?.variants).toEqual([
    {
      when: { period: 'peak' },
      prices: {
        uncachedInput: '9000000',
        cacheWrite: '9000000',
        cacheRead: '300000',
        output: '27000000',
        reasoning: '27000000',
      },
    },
  ])
  expect(await it.catalogue.sheet(sheet?.id ?? '')).toMatchObject({ ...sheet, service: 'chat', side: 'sell' })
  expect(snapshot.tables?.[0]?.versions).toMatchObject([{ id: 'standard:2026-01-01', validToMs: null }])
  expect(snapshot.calendars?.[0]).toMatchObject({ id: 'cn', coversTo: '2026-12-31', workedWeekendDays: ['2026-10-10'] })
  expect((await it.catalogue.ratingSources()).calendars).toEqual(parseCalendars(snapshot.calendars ?? []))
  expect(snapshot.tenants[0]?.status).toBe('restricted')
  expect(await it.changes(FILE)).toEqual([])
  expect((await it.catalogue.snapshot()).version).toBe(snapshot.version)
})

// domain.md §8, vector 9, through the file, the database and the snapshot
test('golden: a factory with peak hours charges double on a Thursday morning and not on a holiday', async () => {
  await using it = await build()
  await it.apply(FILE)
  const { services, calendars = [] } = await it.catalogue.snapshot()
  const terms = services[0]?.sellSheets[0]
  if (!terms) throw new Error('the service has a sheet')
  const output = (text: string) => {
    const moment = { tier: 'standard', atMs: Date.parse(`${text}+08:00`), inputTokens: 1 } as const
    return pricesFor(parsePriceSheet(terms), moment, parseCalendars(calendars))?.prices.output
  }
  expect(output('2026-11-26T09:30')).toBe(27_000_000n)
  for (const off of ['2026-11-26T12:30', '2026-11-28T10:00', '2026-10-01T10:00', '2026-10-10T10:00'])
    expect(output(off)).toBe(13_500_000n)
})

test('people see what a service costs under which conditions', async () => {
  await using it = await build()
  await it.apply(FILE)
  const [service] = await it.catalogue.services('acme')
  expect(service?.sellPeak?.hours).toHaveLength(2)
  expect(service?.sellVariants).toMatchObject([{ when: { period: 'peak' }, perMillion: { output: '27' } }])
})

test('variants, peak hours and weights in force never change, and a new version is announced', async () => {
  await using it = await build()
  await it.apply(FILE)
  for (const [from, to] of [
    ['multiplier: 2', 'multiplier: 3'],
    ['09:00-12:00', '09:00-12:30'],
  ] as const)
    expect((await it.mistakes(FILE.replace(from, to))).join()).toContain('and cannot change: add a new price sheet')
  expect(await it.mistakes(FILE.replace('output: 4 }', 'output: 5 }'))).toEqual([
    'tables[0].versions[0] standard:2026-01-01 has been in force since 2025-12-31T16:00:00Z and cannot change: add a new version with a later validFrom',
  ])
  const announced = FILE + NEXT_VERSION
  expect(await it.changes(announced)).toEqual([{ kind: 'table', id: 'standard:2027-01-01', action: 'created' }])
  const weights = async (id: string) => (await it.catalogue.ratingSources()).weights?.(id, 'chat')
  expect(await weights('standard:2026-01-01')).toMatchObject({
    table: 'standard',
    validToMs: Date.parse('2026-12-31T16:00:00Z'),
    weights: { cacheRead: '200000' },
  })
  expect((await it.mistakes(announced.replace('output: 8', 'output: 9'))).join()).toContain('has been announced for')
  const corrected = announced
    .replace('{ validFrom: 2027', '{ id: better, validFrom: 2027')
    .replace('output: 8', 'output: 9')
  expect(await it.changes(corrected)).toEqual([
    { kind: 'table', id: 'better', action: 'created' },
    { kind: 'table', id: 'standard:2027-01-01', action: 'updated' },
  ])
  const told = (await it.catalogue.snapshot()).tables?.[0]?.versions
  expect(told?.map(({ id }) => id)).toEqual(['standard:2026-01-01', 'better'])
  // A record of a gateway that never heard of the correction can still be checked.
  expect((await weights('standard:2027-01-01'))?.weights.output).toBe('8000000')
  expect(await weights('ghost')).toBeUndefined()
})

test('a calendar grows, and what a day was never changes once it has begun anywhere', async () => {
  await using it = await build()
  await it.apply(FILE)
  const longer = FILE.replace('coversTo: 2026-12-31', 'coversTo: 2027-12-31').replace(
    '2026-10-01..2026-10-07]',
    '2026-10-01..2026-10-07, 2027-01-01]',
  )
  expect(await it.changes(longer)).toEqual([{ kind: 'calendar', id: 'cn', action: 'updated' }])
  expect(await it.mistakes(longer.replace('..2026-10-07', '..2026-10-05'))).toEqual([
    'calendars[0] 2026-10-06 and 1 more days would be of another kind than before, but days before 2026-11-24 have begun or are about to: what they are cannot change',
  ])
  // At 18:00 the 24th begins at +14:00; until a quarter of an hour before it may still become a holiday.
  const tuesday = longer.replace('2027-01-01]', '2027-01-01, 2026-11-24]')
  it.clock.advance(Date.parse('2026-11-23T17:45:00+08:00') - START_MS)
  expect((await it.mistakes(tuesday)).join()).toContain('2026-11-24 would be of another kind')
  it.clock.advance(-1)
  expect(await it.changes(tuesday)).toEqual([{ kind: 'calendar', id: 'cn', action: 'updated' }])
})

test('a key belongs to a project of its own tenant, and keeps its secret when it moves to another', async () => {
  await using it = await build()
  await it.apply(FILE)
  const [key] = (await it.identity.directory(it.database)).keys
  expect(key?.project).toBe('research')
  const moved = FILE.replace('[{ id: research, name: Research }]', '[{ id: sales }]').replace(
    'project: research',
    'project: sales',
  )
  const { changes, newKeys } = await it.apply(moved)
  expect(changes).toContainEqual({ kind: 'project', id: 'acme/sales', action: 'created' })
  expect(changes).toContainEqual({ kind: 'key', id: 'demo', action: 'updated' })
  expect(newKeys).toEqual([])
  // A project that the file no longer names is left as it is.
  expect(await it.changes(moved.replace('project: sales', 'project: research'))).toEqual([
    { kind: 'key', id: 'demo', action: 'updated' },
  ])
})

test('the database itself refuses prices and weights that are no lists, and a project of somebody else', async () => {
  await using it = await build()
  await it.apply(FILE)
  for (const wrong of [
    sql`update catalogue.price_sheet set variants = '{}'`,
    sql`update catalogue.table_version set weights = '"x"'`,
    sql`update catalogue.calendar set covers_to = '2025-01-01'`,
    sql`update identity.api_key set project = 'ghost'`,
  ])
    await expect(it.database.rows(wrong)).rejects.toThrow()
})

import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Problem } from '#kernel'
import { manualClock } from '#platform/clock'
import { parseExact, writeExact } from '#platform/json'
import type { ExactObject } from '#platform/json'
import { freshDatabase } from '../../../test/database.ts'
import type { FreshDatabase } from '../../../test/database.ts'
import { few } from './engine/own.ts'
import type { Kind } from './engine/kind.ts'
import type { Filter } from './engine/query.ts'
import { fits } from './engine/filter.ts'
import { createResources } from './service.ts'
import { insertResource } from './store.ts'
import type { Resources } from './service.ts'
import { productOffering, productOfferingPrice } from './types/catalog.ts'
import { usage } from './types/usage.ts'

const NOW_MS = Date.parse('2026-11-25T00:00:00Z')
const clock = manualClock(NOW_MS)
let database: FreshDatabase
let resources: Resources

beforeAll(async () => {
  database = await freshDatabase()
  resources = createResources({ database, clock })
})
afterAll(() => database[Symbol.asyncDispose]())

const everything = { fields: undefined, filters: [], offset: 0, limit: 100 }
const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
  } catch (error) {
    if (error instanceof Problem) return error.type.code
    throw error
  }
  return 'done'
}

test('what is created comes back with every digit, what it lacked, and the time', async () => {
  const kind: Kind = { type: productOfferingPrice }
  const made = await resources.create(
    kind,
    parseExact('{"name":"x","price":{"unit":"CNY","value":0.000000000001},"percentage":16451000000.00}'),
  )
  const read = await resources.read(kind, made.id)
  expect(read).toEqual(made)
  expect(writeExact(read.attributes)).toContain('0.000000000001')
  expect(writeExact(read.attributes)).toContain('16451000000.00')
  expect(read.attributes).toMatchObject({ lifecycleStatus: 'In study', lastUpdate: '2026-11-25T00:00:00.000Z' })
})

test('the same request under the same id changes nothing, another one is refused, also when they race', async () => {
  const kind: Kind = { type: usage }
  const body = parseExact('{"id":"u-1","usageSpecification":{"id":"voice"}}')
  const made = await Promise.all(Array.from({ length: 8 }, () => resources.create(kind, body)))
  expect(new Set(made.map((one) => writeExact(one.attributes))).size).toBe(1)
  expect((await resources.list(kind, everything)).total).toBe(1)
  const turned = parseExact('{"usageSpecification":{"id":"voice"},"id":"u-1"}')
  expect(await codeOf(resources.create(kind, turned))).toBe('done')
  const other = parseExact('{"id":"u-1","usageSpecification":{"id":"data"}}')
  expect(await codeOf(resources.create(kind, other))).toBe('id_in_use')
  for (const id of ['', 'a b', '../x', 'x'.repeat(129), 7])
    expect(
      await codeOf(resources.create(kind, parseExact(JSON.stringify({ id, usageSpecification: { id: 'x' } })))),
    ).toBe('invalid_body')
})

test('a lifecycle goes where its arrows lead, an echo of what was read changes nothing, ours stay ours', async () => {
  const ours = { id: 'payg:chat', attributes: { name: 'Chat', lifecycleStatus: 'Launched' } }
  const kind: Kind = { type: productOffering, own: few(async () => [ours]) }
  const { id } = await resources.create(kind, parseExact('{"name":"gold"}'))
  const patch = (text: string) => codeOf(resources.patch(kind, id, parseExact(text)))
  expect(await patch('{"lifecycleStatus":"Launched"}')).toBe('state_conflict')
  for (const state of ['In design', 'In test', 'Active', 'Launched', 'Retired', 'Obsolete'])
    expect(await patch(`{"lifecycleStatus":"${state}"}`)).toBe('done')
  expect(await patch('{"lifecycleStatus":"Launched"}')).toBe('state_conflict')
  expect(await patch('{"name":null}')).toBe('invalid_body')
  expect(await patch('{"lastUpdate":"2020-01-01T00:00:00Z"}')).toBe('invalid_body')
  expect(await patch(`{"id":"${id}","lastUpdate":"2026-11-25T00:00:00.000Z","href":"/x","name":"silver"}`)).toBe('done')
  expect((await resources.read(kind, id)).attributes).toMatchObject({ name: 'silver', lifecycleStatus: 'Obsolete' })

  expect(await resources.read(kind, 'payg:chat')).toEqual(ours)
  expect(await codeOf(resources.patch(kind, 'payg:chat', {}))).toBe('read_only')
  expect(await codeOf(resources.remove(kind, 'payg:chat'))).toBe('read_only')
  expect(await codeOf(resources.create(kind, parseExact('{"id":"payg:chat","name":"mine"}')))).toBe('id_in_use')
  expect(await codeOf(resources.patch(kind, 'nobody', {}))).toBe('not_found')
  await resources.remove(kind, id)
  expect(await codeOf(resources.remove(kind, id))).toBe('not_found')
})

test('pages go through ours and theirs in one order, each once', async () => {
  const ours = Array.from({ length: 5 }, (_, index) => ({ id: `own:${index}`, attributes: { name: 'paged' } }))
  const kind: Kind = { type: { ...productOffering, name: 'Paged' }, own: few(async () => ours) }
  for (let index = 0; index < 7; index++) await resources.create(kind, { name: 'paged', id: `bss-${index}` })
  await resources.create(kind, { name: 'other' })
  const filters: Filter[] = [{ path: ['name'], operator: 'eq', values: ['paged'] }]
  const seen: string[] = []
  for (let offset = 0; offset < 14; offset += 3) {
    const page = await resources.list(kind, { fields: undefined, filters, offset, limit: 3 })
    expect(page.total).toBe(12)
    seen.push(...page.items.map(({ id }) => id))
  }
  expect(seen).toEqual([...ours.map(({ id }) => id), ...Array.from({ length: 7 }, (_, index) => `bss-${index}`)])
})

/** Small enough that filters hit, with the values on which two comparisons could disagree. */
const leaf: fc.Arbitrary<string> = fc.constantFrom(
  '"a"',
  '"A"',
  '"1"',
  '"1.0"',
  '""',
  '"é"',
  '"😀"',
  '"\uffff"',
  '"true"',
  'true',
  'false',
  'null',
  '1',
  '1.0',
  '1e0',
  '-0',
  '0',
  '2',
  '0.000000000001',
)
const tree: fc.Arbitrary<string> = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 2 },
    leaf,
    fc.array(tie('node'), { maxLength: 3 }).map((all) => `[${all.join(',')}]`),
    fc.dictionary(fc.constantFrom('x', 'y'), tie('node'), { maxKeys: 2 }).map(
      (all) =>
        `{${Object.entries(all)
          .map(([name, value]) => `"${name}":${value}`)
          .join(',')}}`,
    ),
  ),
})).node

test('the database and the predicate agree on what fits a filter', async () => {
  const type = { ...productOffering, name: 'Agreed' }
  const stored: ExactObject[] = fc
    .sample(tree, { numRuns: 150, seed: 7 })
    .map((text, index) => ({ name: 'x', targetProductSchema: parseExact(text), version: `${index}` }))
  await database.transaction(async (tx) => {
    for (const [index, attributes] of stored.entries())
      await insertResource(tx, type.name, { id: `${index}`, attributes, fingerprint: 'x', atMs: 0 })
  })
  const filter = fc.record({
    path: fc.array(fc.constantFrom('x', 'y'), { maxLength: 2 }).map((rest) => ['targetProductSchema', ...rest]),
    operator: fc.constantFrom('eq', 'gt', 'gte', 'lt', 'lte'),
    values: fc.array(
      leaf.map((text) => text.replaceAll('"', '')),
      { minLength: 1, maxLength: 2 },
    ),
  }) as fc.Arbitrary<Filter>
  let hits = 0
  await fc.assert(
    fc.asyncProperty(filter, async (one) => {
      const { items } = await resources.list({ type }, { ...everything, limit: 1_000, filters: [one] })
      hits += items.length
      expect(items.map(({ id }) => id)).toEqual(
        stored.flatMap((attributes, index) => (fits(attributes, [one]) ? [`${index}`] : [])),
      )
    }),
    { numRuns: 150, seed: 7 },
  )
  expect(hits).toBeGreaterThan(500)
})

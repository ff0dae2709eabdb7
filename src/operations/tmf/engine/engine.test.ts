import { expect, test } from 'vitest'
import { Problem } from '#kernel'
import { isObject, parseExact, writeExact } from '#platform/json'
import type { ExactObject } from '#platform/json'
import { productOffering, productOfferingPrice } from '../types/catalog.ts'
import { product } from '../types/inventory.ts'
import { checkedAttributes, utc } from './attributes.ts'
import { fits } from './filter.ts'
import { merged } from './merge.ts'
import { parseQuery } from './query.ts'
import type { ResourceType } from './resource.ts'

const object = (text: string): ExactObject => {
  const value = parseExact(text)
  if (!isObject(value)) throw new Error('not an object')
  return value
}

function refusal(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof Problem) return error.message
    throw error
  }
  throw new Error('not refused')
}

const fitting = (type: ResourceType, query: string, text: string) =>
  fits(object(text), parseQuery(type, new URLSearchParams(query)).filters)

test('what is missing, unknown or of another kind is named, all of it', () => {
  const said = refusal(() =>
    checkedAttributes(
      product,
      object('{"status":7,"colour":"red","billingAccount":{},"productPrice":"none","startDate":"yesterday"}'),
    ),
  )
  for (const part of [
    'status: not a text',
    'colour: no attribute of Product',
    'billingAccount.id: is missing',
    'productPrice: not a list',
    'startDate: not a time',
    'relatedParty: is missing',
  ])
    expect(said).toContain(part)
})

test('amounts are kept digit for digit, and must be numbers', () => {
  const text = '{"name":"x","price":{"unit":"CNY","value":16451000000.00}}'
  expect(writeExact(checkedAttributes(productOfferingPrice, object(text)))).toBe(text)
  expect(refusal(() => checkedAttributes(productOfferingPrice, object('{"name":"x","price":{"value":"1"}}')))).toBe(
    'price.value: not a number',
  )
})

test('a state that does not exist is refused', () => {
  expect(checkedAttributes(productOffering, object('{"name":"x","lifecycleStatus":"In test"}'))).toBeDefined()
  expect(
    refusal(() => checkedAttributes(productOffering, object('{"name":"x","lifecycleStatus":"constructor"}'))),
  ).toContain('not a state')
})

test('times are kept in UTC, so that they compare as texts', () => {
  expect(utc('2026-11-25T08:00:00+08:00')).toBe('2026-11-25T00:00:00.000Z')
  expect(utc('2026-02-30T25:00:00Z')).toBeUndefined()
  expect(utc('2026-11-25')).toBeUndefined()
})

test('a merge patch takes away, merges and replaces (RFC 7386)', () => {
  const patched = merged(
    object('{"a":1,"b":{"c":2,"d":3},"e":[1]}'),
    object('{"a":null,"b":{"c":null,"x":0.10},"e":[2]}'),
  )
  expect(writeExact(patched)).toBe('{"b":{"d":3,"x":0.10},"e":[2]}')
})

test('filters: quotes, alternatives, lists on the way, numbers by value, times by instant', () => {
  const type = productOffering
  const offering =
    '{"id":"7","name":"a, b","isBundle":true,"lastUpdate":"2026-11-25T00:00:00.000Z","place":[{"id":"x"},{"id":"y","n":1.50}]}'
  for (const query of [
    'name="a, b"',
    'name="nobody",x,"a, b"',
    'id=7',
    'isBundle=true',
    'place.id=y',
    'place.n=1.5',
    'place.n.gt=1.4',
    'place.id.gte=y',
    'lastUpdate=2026-11-25T08:00:00%2B08:00',
    'lastUpdate="2026-11-25T00:00:00.000Z"',
    'lastUpdate.lt=2026-11-26T00:00:00Z',
    'name.eq="a, b"&id=7',
  ])
    expect(fitting(type, query, offering), query).toBe(true)
  for (const query of ['name=a', 'isBundle=false', 'place.id=z', 'place.n.gt=1.5', 'version=', 'name="a, b"&id=8'])
    expect(fitting(type, query, offering), query).toBe(false)
})

test('a query that would have to be ignored is refused', () => {
  for (const query of [
    'colour=red',
    'sort=name',
    'limit=-1',
    'limit=1e3',
    'offset=99999999999',
    'name.constructor()=1',
    'place.$.id=1',
    'constructor=1',
    `${'name=a&'.repeat(17)}`,
  ])
    expect(
      refusal(() => parseQuery(productOffering, new URLSearchParams(query))),
      query,
    ).toBeTruthy()
  expect(parseQuery(productOffering, new URLSearchParams('fields=name, id,place.id&limit=5000'))).toMatchObject({
    fields: new Set(['name', 'id', 'place']),
    limit: 1_000,
    offset: 0,
  })
})

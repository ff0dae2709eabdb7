import { expect, test } from 'vitest'
import type { Snapshot } from '#contract'
import { createPlaces } from './gateway-places.ts'
import { createLiveGateways } from './control-gateways.ts'

const snapshot = (...suppliers: string[]) =>
  ({
    suppliers: suppliers.map((id) => ({ id })),
    services: [{ deployments: suppliers.map((supplier) => ({ supplier, model: 'm' })) }],
  }) as unknown as Snapshot

test('each supplier and each of its models keeps its place; what no longer fits shares the last', () => {
  const places = createPlaces(5)
  expect([...places.assign(snapshot('a', 'b'))]).toEqual([
    ['a', 0],
    ['b', 1],
    ['a m', 2],
    ['b m', 3],
  ])
  const later = places.assign(snapshot('c', 'b'))
  expect([later.get('b'), later.get('b m'), later.get('a m')]).toEqual([1, 3, 2])
  expect([later.get('c'), later.get('c m')]).toEqual([4, 4])
})

test('a gateway counts for a minute after it asked last, and once however often it asks', () => {
  const gateways = createLiveGateways()
  expect(gateways.count(0)).toBe(1)
  gateways.seen('a', 0)
  gateways.seen('a', 10_000)
  gateways.seen('b', 20_000)
  expect(gateways.count(70_000)).toBe(2)
  expect(gateways.count(70_001)).toBe(1)
  expect(gateways.count(999_999)).toBe(1)
})

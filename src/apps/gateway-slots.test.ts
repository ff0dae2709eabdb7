import { expect, test } from 'vitest'
import { createLimitTable, openLimits } from '#admission'
import type { Snapshot } from '#contract'
import { createSlots } from './gateway-slots.ts'

function setUp(capacity: number) {
  const limits = openLimits(createLimitTable(capacity, 1), 0)
  return { limits, slots: createSlots(capacity, limits) }
}

function snapshotOf(keys: readonly string[], revoked: readonly string[] = []): Snapshot {
  const key = (id: string, status: 'active' | 'revoked') =>
    ({ id, tenant: 't', name: id, hash: id, status, expiresAtMs: null, limits: {} }) as const
  return {
    version: 1,
    tenants: [{ id: 't', displayName: 't', status: 'active', limits: {} }],
    keys: [...revoked.map((id) => key(id, 'revoked')), ...keys.map((id) => key(id, 'active'))],
    services: [],
    suppliers: [],
  }
}

test('a name keeps its place as long as snapshots name it, and for one snapshot longer', () => {
  const { slots } = setUp(3)
  const first = slots.assign(snapshotOf(['a', 'b']))
  slots.assign(snapshotOf(['b']))
  const back = slots.assign(snapshotOf(['a', 'b']))
  expect(back.slots.get('key:a')).toBe(first.slots.get('key:a'))
  expect(back.leftOut).toEqual([])
})

test('the place of a name that is gone for two snapshots is given to another, clean', () => {
  const { slots, limits } = setUp(3)
  const old = slots.assign(snapshotOf(['a', 'b'])).slots.get('key:a') ?? -1
  for (let i = 0; i < 5; i++) limits.take('requests', old, 5, 1, 1_000_000_000_000n)
  slots.assign(snapshotOf(['b']))
  slots.assign(snapshotOf(['b']))
  const next = slots.assign(snapshotOf(['b', 'c']))
  expect(next.slots.get('key:c')).toBe(old)
  expect(next.slots.has('key:a')).toBe(false)
  expect(limits.take('requests', old, 5, 1, 1_000_000_000_000n)).toMatchObject({ ok: true, remaining: 4 })
})

test('a place with a running request is not given to another before that request has ended', () => {
  const { slots, limits } = setUp(2)
  const old = slots.assign(snapshotOf(['a'])).slots.get('key:a') ?? -1
  limits.enter(old, 10)
  for (let i = 0; i < 3; i++) expect(slots.assign(snapshotOf(['b'])).leftOut).toEqual(['key:b'])
  limits.leave(old)
  expect(slots.assign(snapshotOf(['b'])).slots.get('key:b')).toBe(old)
})

test('without room the rest is applied: living keys before revoked ones, and who has no place is left out', () => {
  const { slots } = setUp(3)
  const told = slots.assign(snapshotOf(['a', 'b', 'c'], ['r']))
  expect(told.leftOut).toEqual(['key:c', 'key:r'])
  expect(told.snapshot.keys.map(({ id }) => id)).toEqual(['a', 'b'])
  const revoked = slots.assign(snapshotOf(['b', 'c'], ['a']))
  expect(revoked.snapshot.keys.map(({ id, status }) => [id, status])).toEqual([
    ['a', 'revoked'],
    ['b', 'active'],
  ])
})

test('keys that come and go for ever do not use the table up', () => {
  const { slots } = setUp(10)
  for (let i = 0; i < 100; i++) expect(slots.assign(snapshotOf([`k${i}`, `l${i}`])).leftOut).toEqual([])
})

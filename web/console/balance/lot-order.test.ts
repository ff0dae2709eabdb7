import { expect, test } from 'vitest'
import type { LotView } from '#contract'
import { burnOrder } from './lot-order.ts'

function lot(changes: Partial<LotView>): LotView {
  return {
    id: 'lot_0',
    unit: 'CNY',
    source: 'paid',
    reference: 'r',
    state: 'active',
    granted: '10',
    remaining: '10',
    priority: 100,
    validFromMs: 0,
    expiresAtMs: null,
    createdAtMs: 0,
    ...changes,
  }
}

test('lots burn by priority, then by expiry, then by id; what is used up or not begun has no place', () => {
  const lots = [
    lot({ id: 'late' }),
    lot({ id: 'gift', priority: 50 }),
    lot({ id: 'soon', expiresAtMs: 5 }),
    lot({ id: 'early' }),
    lot({ id: 'spent', remaining: '0', priority: 1 }),
    lot({ id: 'coming', state: 'pending', priority: 1 }),
    lot({ id: 'other', unit: 'standard-token', priority: 1 }),
  ]
  const order = burnOrder(lots)
  expect([...order].filter(([id]) => id !== 'other').map(([id, place]) => `${place} ${id}`)).toEqual([
    '1 gift',
    '2 soon',
    '3 early',
    '4 late',
  ])
  expect(order.get('other')).toBe(1)
})

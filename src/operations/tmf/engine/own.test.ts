import { expect, test } from 'vitest'
import type { Search } from './own.ts'
import { many } from './own.ts'
import type { Filter } from './query.ts'

const all = Array.from({ length: 1_200 }, (_, n) => ({
  id: `p${n}`,
  attributes: { state: n % 3 === 0 ? 'sent' : 'new', note: `n${n % 400}`, account: { id: `tenant:t${n % 2}` } },
}))
const asked: Search[] = []
const own = many({
  searched: {
    id: { by: 'ids' },
    state: { by: 'states' },
    'account.id': { by: 'tenants', from: (id) => id.replace('tenant:', '') },
  },
  async page(search, { offset, limit }) {
    asked.push(search)
    const { ids, states, tenants } = search
    const found = all.filter(
      ({ id, attributes: { state, account } }) =>
        (ids?.includes(id) ?? true) &&
        (states?.includes(state) ?? true) &&
        (tenants?.includes(account.id.replace('tenant:', '')) ?? true),
    )
    return { items: found.slice(offset, offset + limit), total: found.length }
  },
  find: async () => undefined,
})
const eq = (path: string, ...values: string[]): Filter => ({ path: path.split('.'), operator: 'eq', values })
const page = async (filters: readonly Filter[], offset = 0, limit = 3) => {
  asked.length = 0
  const { items, total } = await own.page({ filters, offset, limit })
  return { ids: items.map(({ id }) => id), total, asked: asked.length }
}

test('what a room can find is found and paged by the room; other filters look through what that finds, a page at a time', async () => {
  expect(await page([])).toEqual({ ids: ['p0', 'p1', 'p2'], total: 1_200, asked: 1 })
  expect(await page([eq('state', 'sent'), eq('account.id', 'tenant:t1')], 1)).toEqual({
    ids: ['p9', 'p15', 'p21'],
    total: 200,
    asked: 1,
  })
  expect(asked).toEqual([{ states: ['sent'], tenants: ['t1'] }])
  expect(await page([eq('id', 'p1', 'p5'), eq('id', 'p5', 'p7')])).toEqual({ ids: ['p5'], total: 1, asked: 1 })
  expect(await page([eq('note', 'n7')], 1)).toEqual({ ids: ['p407', 'p807'], total: 3, asked: 3 })
  expect(await page([eq('note', 'n6'), eq('state', 'sent')])).toEqual({ ids: ['p6'], total: 1, asked: 1 })
})

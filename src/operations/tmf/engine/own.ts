import type { ExactObject } from '#platform/json'
import { fits } from './filter.ts'
import type { Filter } from './query.ts'
import type { Resource } from './resource.ts'

/** Resources that belong to one of our rooms and are shown read only. */
export interface Own {
  page(page: {
    readonly filters: readonly Filter[]
    readonly offset: number
    readonly limit: number
  }): Promise<{ readonly items: readonly Resource[]; readonly total: number }>
  find(id: string): Promise<Resource | undefined>
}

/** For what is few enough to be looked through whole: offers, suppliers, wallets. */
export function few(list: () => Promise<readonly Resource[]>): Own {
  return {
    async page({ filters, offset, limit }) {
      const fitting = (await list()).filter((resource) => fits(whole(resource), filters))
      return { items: fitting.slice(offset, offset + limit), total: fitting.length }
    },
    find: async (id) => (await list()).find((resource) => resource.id === id),
  }
}

/** What a room finds by itself: by its ids, by whose it is, by its state. */
export interface Search {
  readonly ids?: readonly string[]
  readonly tenants?: readonly string[]
  readonly states?: readonly string[]
}

interface Many {
  /** Which of them each filter stands for; other filters are applied to what is found by these. */
  readonly searched: Readonly<Record<string, { readonly by: keyof Search; readonly from?: (value: string) => string }>>
  page(
    search: Search,
    page: { readonly offset: number; readonly limit: number },
  ): Promise<{ readonly items: readonly Resource[]; readonly total: number }>
  find(id: string): Promise<Resource | undefined>
}

/** How many are looked through at a time where a filter is none of the room's. */
const LOOK = 500

/**
 * For what may be many. The room finds and pages; only where something else is asked for is what it finds looked through, a page at a
 * time, so that no list is ever in memory.
 */
export function many({ searched, page: found, find }: Many): Own {
  return {
    find,
    async page({ filters, offset, limit }) {
      const search: { -readonly [Name in keyof Search]: readonly string[] } = {}
      const rest: Filter[] = []
      for (const filter of filters) {
        const known = filter.operator === 'eq' ? searched[filter.path.join('.')] : undefined
        if (!known) rest.push(filter)
        else {
          const values = known.from ? filter.values.map(known.from) : filter.values
          search[known.by] = search[known.by]?.filter((one) => values.includes(one)) ?? values
        }
      }
      if (rest.length === 0) return found(search, { offset, limit })
      const items: Resource[] = []
      let total = 0
      for (let at = 0; ; at += LOOK) {
        const looked = await found(search, { offset: at, limit: LOOK })
        for (const resource of looked.items.filter((each) => fits(whole(each), rest))) {
          if (total >= offset && items.length < limit) items.push(resource)
          total += 1
        }
        if (looked.items.length < LOOK) return { items, total }
      }
    },
  }
}

function whole({ id, attributes }: Resource): ExactObject {
  return { ...attributes, id }
}

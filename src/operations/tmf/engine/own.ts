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

/** For what is few enough to be looked through whole: offers, tenants, suppliers, wallets. */
export function few(list: () => Promise<readonly Resource[]>): Own {
  return {
    async page({ filters, offset, limit }) {
      const fitting = (await list()).filter((resource) => fits(whole(resource), filters))
      return { items: fitting.slice(offset, offset + limit), total: fitting.length }
    },
    find: async (id) => (await list()).find((resource) => resource.id === id),
  }
}

function whole({ id, attributes }: Resource): ExactObject {
  return { ...attributes, id }
}

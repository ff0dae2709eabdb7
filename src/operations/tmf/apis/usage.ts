import type { Charging } from '#charging'
import type { UsageRecord } from '#contract'
import { TOKEN_CLASSES } from '#kernel'
import { decimal } from '#platform/json'
import type { ExactObject } from '#platform/json'
import type { Api } from '../engine/kind.ts'
import { few } from '../engine/own.ts'
import type { Own } from '../engine/own.ts'
import type { Filter } from '../engine/query.ts'
import type { Resource } from '../engine/resource.ts'
import { invalidQuery } from '../problems.ts'
import * as types from '../types/usage.ts'
import { ids, money, party, ref, time } from './refs.ts'

const API = 'usageManagement'
const SPECIFICATION_ID = 'factory:tokens'

/** TMF635: our usage records, rated. Usage that the BSS brings is kept for it as it is, and never rated or charged by us. */
export function usageApi({ charging }: { readonly charging: Charging }): Api {
  return {
    name: API,
    kinds: [
      { type: types.usage, own: usageRecords(charging) },
      { type: types.usageSpecification, own: few(async () => [specification()]) },
    ],
  }
}

function usageRecords(charging: Charging): Own {
  return {
    async page({ filters, offset, limit }) {
      const search = searchOf(filters)
      if (!search) return { items: [], total: 0 }
      const { records, total } = await charging.usageRecords({ ...search, offset, limit })
      return { items: records.map(toUsage), total }
    },
    async find(id) {
      const { records } = await charging.usageRecords({ ids: [id], offset: 0, limit: 1 })
      return records.map(toUsage)[0]
    },
  }
}

interface Search {
  ids?: readonly string[]
  tenants?: readonly string[]
  fromMs?: number
  toMs?: number
}

/**
 * What can be looked for among millions of records. Undefined: none of ours can fit. Throws `invalid_query` for what we would have to
 * read every record for.
 */
function searchOf(filters: readonly Filter[]): Search | undefined {
  const search: Search = {}
  for (const { path, operator, values } of filters) {
    const name = path.join('.')
    const both = (before: readonly string[] | undefined) => before?.filter((one) => values.includes(one)) ?? values
    if (name === 'usageDate') narrow(search, operator, values)
    else if (operator !== 'eq') throw notSearchable(name)
    else if (name === 'id') search.ids = both(search.ids)
    else if (name === 'relatedParty.id') search.tenants = both(search.tenants)
    else if (!isAlways(name, values)) return undefined
  }
  return search
}

function notSearchable(name: string): Error {
  return invalidQuery({ name, message: 'usage is looked for by id, relatedParty.id, usageDate, status and usageType' })
}

function narrow(search: Search, operator: Filter['operator'], values: readonly string[]): void {
  const atMs = values.length === 1 ? Date.parse(values[0] ?? '') : Number.NaN
  if (Number.isNaN(atMs)) throw invalidQuery({ name: 'usageDate', message: 'not a time such as 2026-11-25T08:00:00Z' })
  const from = { eq: atMs, gte: atMs, gt: atMs + 1, lt: undefined, lte: undefined }[operator]
  const to = { eq: atMs, lte: atMs, lt: atMs - 1, gt: undefined, gte: undefined }[operator]
  if (from !== undefined) search.fromMs = Math.max(from, search.fromMs ?? from)
  if (to !== undefined) search.toMs = Math.min(to, search.toMs ?? to)
}

/** Whether an attribute that is the same in all records of ours has one of the values. */
function isAlways(name: string, values: readonly string[]): boolean {
  const always: Readonly<Record<string, string>> = {
    '@type': types.usage.name,
    status: 'rated',
    usageType: 'tokens',
    'usageSpecification.id': SPECIFICATION_ID,
  }
  const value = Object.hasOwn(always, name) ? always[name] : undefined
  if (value === undefined) throw notSearchable(name)
  return values.includes(value)
}

function toUsage(record: UsageRecord): Resource {
  const { id, tenant, key, service, ending, tokens, sellPico, taxPico } = record
  const sell = BigInt(sellPico)
  const text = (name: string, value: string): ExactObject => ({ name, valueType: 'string', value })
  const attributes = {
    usageType: 'tokens',
    description: service,
    status: 'rated',
    usageDate: time(record.acceptedAtMs),
    usageSpecification: ref({
      api: API,
      resource: 'usageSpecification',
      type: 'UsageSpecification',
      id: SPECIFICATION_ID,
    }),
    usageCharacteristic: [
      text('service', service),
      text('key', key),
      text('ending', ending),
      ...TOKEN_CLASSES.map((name) => ({ name, valueType: 'number', value: decimal(`${tokens[name]}`) })),
    ],
    ratedProductUsage: [
      {
        ratingDate: time(record.completedAtMs),
        ratingAmountType: 'Total',
        usageRatingTag: 'usage',
        isTaxExempt: false,
        taxIncludedRatingAmount: money(sell),
        taxExcludedRatingAmount: money(sell - BigInt(taxPico)),
        productRef: { id: ids.payAsYouGo(service) },
      },
    ],
    relatedParty: [party(tenant, tenant, 'customer')],
  }
  return { id, attributes }
}

function specification(): Resource {
  const attributes = {
    name: 'Tokens',
    description: 'Tokens of one request by class, each counted once',
    specCharacteristic: ['service', 'key', 'ending', ...TOKEN_CLASSES].map((name) => ({ name })),
  }
  return { id: SPECIFICATION_ID, attributes }
}

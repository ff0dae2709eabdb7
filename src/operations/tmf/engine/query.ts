import { decimal } from '#platform/json'
import { invalidQuery } from '../problems.ts'
import { utc } from './attributes.ts'
import type { ResourceType } from './resource.ts'

const OPERATORS = ['eq', 'gt', 'gte', 'lt', 'lte'] as const
export type Operator = (typeof OPERATORS)[number]

/** What an attribute must be: one of `values` for `eq`, in that relation to the one value for the others. */
export interface Filter {
  /** Attribute names from the outside in: `relatedParty`, `id`. Lists on the way are looked into. */
  readonly path: readonly string[]
  readonly operator: Operator
  readonly values: readonly string[]
}

export interface Query {
  /** Which attributes to answer with; undefined means all. `id` and `href` always come along. */
  readonly fields: ReadonlySet<string> | undefined
  readonly filters: readonly Filter[]
  readonly offset: number
  readonly limit: number
}

const DEFAULT_LIMIT = 100
const MOST = 1_000
const FURTHEST = 1_000_000_000
const MOST_FILTERS = 16
const MOST_VALUES = 100
const SEGMENT = /^@?[A-Za-z][A-Za-z0-9_-]{0,63}$/

/** Reads a query by the rules of TMF630. Throws `invalid_query` for what we would otherwise have to ignore. */
export function parseQuery(type: ResourceType, parameters: Iterable<readonly [string, string]>): Query {
  let fields: ReadonlySet<string> | undefined
  let offset = 0
  let limit = DEFAULT_LIMIT
  const filters: Filter[] = []
  for (const [name, value] of parameters) {
    if (name === 'fields') fields = new Set(value.split(',').map((field) => field.trim().split('.')[0] ?? ''))
    else if (name === 'offset') offset = count(name, value, FURTHEST)
    else if (name === 'limit') limit = Math.min(count(name, value, FURTHEST), MOST)
    else filters.push(parseFilter(type, name, value))
  }
  if (filters.length > MOST_FILTERS) throw invalidQuery({ name: 'query', message: `more than ${MOST_FILTERS} filters` })
  return { fields, filters, offset, limit }
}

function parseFilter(type: ResourceType, name: string, value: string): Filter {
  const path = name.split('.')
  const last = OPERATORS.find((operator) => operator === path.at(-1))
  if (last && path.length > 1) path.pop()
  const operator = last ?? 'eq'
  const [first = ''] = path
  if (path.length > 8 || !path.every((segment) => SEGMENT.test(segment)) || !isKnown(type, first))
    throw invalidQuery({ name, message: `no attribute of ${type.name}` })
  const values = operator === 'eq' ? split(value) : [unquoted(value)]
  if (values.length > MOST_VALUES) throw invalidQuery({ name, message: `more than ${MOST_VALUES} values` })
  if (values.some((each) => each.includes('\0') || !each.isWellFormed()))
    throw invalidQuery({ name, message: 'the value holds NUL or half a character' })
  return { path, operator, values: values.map((each) => utc(each) ?? each) }
}

const isKnown = (type: ResourceType, name: string): boolean =>
  name === 'id' || name === 'href' || name === '@type' || type.attributes.has(name)

/** Commas separate alternatives, except inside double quotes, with which some clients surround every value. */
function split(value: string): string[] {
  return (value.match(/"[^"]*"|[^,]+/g) ?? ['']).map(unquoted)
}

function unquoted(value: string): string {
  return /^"[^"]*"$/.test(value) ? value.slice(1, -1) : value
}

function count(name: string, value: string, most: number): number {
  if (!/^\d{1,10}$/.test(value) || Number(value) > most)
    throw invalidQuery({ name, message: `not a whole number up to ${most}` })
  return Number(value)
}

/** A filter's value as a number, if it reads as one. */
export function asDecimal(value: string): ReturnType<typeof decimal> | undefined {
  try {
    return decimal(value)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

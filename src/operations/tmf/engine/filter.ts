import { compareDecimals, isDecimal, isObject } from '#platform/json'
import type { ExactJson, ExactObject } from '#platform/json'
import { asDecimal } from './query.ts'
import type { Filter, Operator } from './query.ts'

/** Whether a resource fits every filter. `jsonPathOf` says the same to the database. */
export function fits(resource: ExactObject, filters: readonly Filter[]): boolean {
  return filters.every(({ path, operator, values }) =>
    valuesAt(resource, path).some((found) => values.some((value) => relates(found, operator, value))),
  )
}

/** What lies at a path; a list on the way, or at its end, stands for its items (there also a list of lists, as in a JSON path). */
function valuesAt(resource: ExactJson, path: readonly string[]): ExactJson[] {
  let found: ExactJson[] = [resource]
  for (const name of path)
    found = items(found).flatMap((value) =>
      isObject(value) && Object.hasOwn(value, name) ? [value[name] as ExactJson] : [],
    )
  return items(items(found))
}

const items = (values: readonly ExactJson[]): ExactJson[] =>
  values.flatMap((value) => (Array.isArray(value) ? (value as readonly ExactJson[]) : [value]))

function relates(found: ExactJson, operator: Operator, value: string): boolean {
  if (typeof found === 'string') return holds(operator, compareCodePoints(found, value))
  if (typeof found === 'boolean') return operator === 'eq' && String(found) === value
  if (!isDecimal(found)) return false
  const number = asDecimal(value)
  return number !== undefined && holds(operator, compareDecimals(found, number))
}

function holds(operator: Operator, order: number): boolean {
  switch (operator) {
    case 'eq':
      return order === 0
    case 'gt':
      return order > 0
    case 'gte':
      return order >= 0
    case 'lt':
      return order < 0
    case 'lte':
      return order <= 0
  }
}

/** As the database orders texts in a JSON path; JavaScript's own order differs beyond the basic plane. */
function compareCodePoints(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b))
}

const SYMBOLS: Readonly<Record<Operator, string>> = { eq: '==', gt: '>', gte: '>=', lt: '<', lte: '<=' }

/** A filter as a JSON path of PostgreSQL and its variables; values never become part of the path's text. */
export function jsonPathOf({ path, operator, values }: Filter): { path: string; variables: ExactObject } {
  const variables: Record<string, ExactJson> = {}
  const tests: string[] = []
  const test = (value: ExactJson): void => {
    const name = `v${tests.length}`
    variables[name] = value
    tests.push(`@ ${SYMBOLS[operator]} $${name}`)
  }
  for (const value of values) {
    test(value)
    const number = asDecimal(value)
    if (number) test(number)
    if (operator === 'eq' && (value === 'true' || value === 'false')) test(value === 'true')
  }
  const steps = path.map((name) => `."${name}"`).join('')
  return { path: `$${steps} ? (${tests.join(' || ')})`, variables }
}

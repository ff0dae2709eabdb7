import { isDecimal, isObject } from '#platform/json'
import type { ExactJson, ExactObject } from '#platform/json'
import { invalidBody } from '../problems.ts'
import type { AttributeKind, Attributes, ResourceType } from './resource.ts'

export interface Issue {
  readonly path: string
  readonly message: string
}

const LONGEST_TEXT = 8_000
const MOST_ITEMS = 1_000
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/
const ID = /^[A-Za-z0-9._:~-]{1,128}$/

/**
 * Checks what was sent against the kind of resource and returns it as it is kept: times in UTC, so that they compare as texts.
 * Throws `invalid_body` with every issue.
 */
export function checkedAttributes(type: ResourceType, sent: ExactObject): Attributes {
  const issues: Issue[] = []
  const kept: Record<string, ExactJson> = {}
  for (const [name, value] of Object.entries(sent)) {
    const kind = type.attributes.get(name)
    if (kind) kept[name] = checkedValue(kind, value, name, issues)
    else if (EXTENSIONS.has(name) && typeof value === 'string') kept[name] = value
    else issues.push({ path: name, message: `no attribute of ${type.name}` })
  }
  for (const name of type.required) if (!Object.hasOwn(kept, name)) issues.push({ path: name, message: 'is missing' })
  const states = type.states
  const state = states && kept[states.attribute]
  if (states && typeof state === 'string' && !isState(states, state))
    issues.push({ path: states.attribute, message: 'not a state that exists' })
  if (issues.length > 0) throw invalidBody({ issues: issues.slice(0, 20) })
  return kept
}

const isState = ({ initial, next }: NonNullable<ResourceType['states']>, state: string): boolean =>
  state === initial || Object.hasOwn(next, state) || Object.values(next).some((states) => states.includes(state))

/** What TMF630 lets a client say about any resource. `@type` is the resource's own name and is kept too, for a subtype. */
const EXTENSIONS = new Set(['@type', '@baseType', '@schemaLocation'])

/** The id that a client may choose, or undefined if it leaves that to us. */
export function sentId(value: ExactJson | undefined): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && ID.test(value)) return value
  throw invalidBody({ issues: [{ path: 'id', message: 'not 1 to 128 letters, digits and . _ : ~ -' }] })
}

function checkedValue(kind: AttributeKind, value: ExactJson, path: string, issues: Issue[]): ExactJson {
  const fail = (message: string): ExactJson => {
    issues.push({ path, message })
    return null
  }
  const each = (check: AttributeKind): ExactJson =>
    Array.isArray(value) && value.length <= MOST_ITEMS
      ? value.map((item: ExactJson, index) => checkedValue(check, item, `${path}.${index}`, issues))
      : fail(`not a list of at most ${MOST_ITEMS}`)
  const members = (kinds: Readonly<Record<string, AttributeKind>>, required: readonly string[]): ExactJson => {
    if (!isObject(value)) return fail('not an object')
    for (const name of required)
      if (!Object.hasOwn(value, name)) issues.push({ path: `${path}.${name}`, message: 'is missing' })
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => {
        const memberKind = Object.hasOwn(kinds, name) ? kinds[name] : undefined
        return [name, memberKind ? checkedValue(memberKind, member, `${path}.${name}`, issues) : member]
      }),
    )
  }
  switch (kind) {
    case 'text':
      return typeof value === 'string' && value.length <= LONGEST_TEXT
        ? value
        : fail(`not a text of at most ${LONGEST_TEXT}`)
    case 'flag':
      return typeof value === 'boolean' ? value : fail('neither true nor false')
    case 'number':
      return isDecimal(value) ? value : fail('not a number')
    case 'time':
      return typeof value === 'string'
        ? (utc(value) ?? fail('not a time such as 2026-11-25T08:00:00Z'))
        : fail('not a time')
    case 'money':
      return members({ unit: 'text', value: 'number' }, ['value'])
    case 'quantity':
      return members({ units: 'text', amount: 'number' }, ['amount'])
    case 'period':
      return members({ startDateTime: 'time', endDateTime: 'time' }, [])
    case 'ref':
      return members({ id: 'text' }, ['id'])
    case 'object':
      return members({}, [])
    case 'texts':
      return each('text')
    case 'refs':
      return each('ref')
    case 'objects':
      return each('object')
  }
}

/** A time with its zone, as UTC in milliseconds; undefined for what is none. */
export function utc(text: string): string | undefined {
  if (!INSTANT.test(text)) return undefined
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString()
}

import { hash } from 'node:crypto'
import type { UsageRecord } from '#contract'

/** A record as it arrived, with the canonical text that is stored and the SHA-256 (64 hex digits) of that text. */
export interface Arrival {
  readonly record: UsageRecord
  readonly text: string
  readonly contentHash: string
}

export function arrivalOf(record: UsageRecord): Arrival {
  const text = canonicalJson(record)
  return { record, text, contentHash: hash('sha256', text, 'hex') }
}

/** JSON with sorted keys and no spaces: what PostgreSQL's jsonb gives back has the same canonical text as what went in. */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
      // As JSON.stringify writes it, at a third of the cost: half of a record is numbers.
      return Number.isFinite(value) ? `${value === 0 ? 0 : value}` : 'null'
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      if (value === null) return 'null'
      return Array.isArray(value) ? canonicalList(value) : canonicalObject(value as Record<string, unknown>)
    default:
      return 'null'
  }
}

function canonicalList(values: readonly unknown[]): string {
  let text = ''
  for (const value of values) text += text === '' ? canonicalJson(value) : `,${canonicalJson(value)}`
  return `[${text}]`
}

function canonicalObject(object: Record<string, unknown>): string {
  let text = ''
  for (const key of Object.keys(object).sort()) {
    const value = object[key]
    if (value !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(value)}`
  }
  return `{${text}}`
}

/** jsonb refuses NUL and halves of surrogate pairs, and one such record must not make a whole batch fail. */
export function isStorable(text: string): boolean {
  return !/(?:^|[^\\])(?:\\\\)*\\u(?:0000|d[89a-f])/.test(text)
}

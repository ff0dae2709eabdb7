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
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  const fields: string[] = []
  const object = value as Record<string, unknown>
  for (const key of Object.keys(object).sort()) {
    if (object[key] !== undefined) fields.push(`${JSON.stringify(key)}:${canonicalJson(object[key])}`)
  }
  return `{${fields.join(',')}}`
}

/** jsonb refuses NUL and halves of surrogate pairs, and one such record must not make a whole batch fail. */
export function isStorable(text: string): boolean {
  return !/(?:^|[^\\])(?:\\\\)*\\u(?:0000|d[89a-f])/.test(text)
}

import { createHash } from 'node:crypto'

export type SqlScalar = string | number | bigint | boolean | Date | Buffer | null
/** What may stand in `${}`: a scalar, an array for `any(…)` or `unnest(…)`, or another statement, whose text is spliced in. */
export type SqlValue = SqlScalar | readonly SqlScalar[] | Statement

/** A statement ready to run. Make it with `sql` or `script`, never by hand. */
export interface Statement {
  readonly text: string
  readonly name?: string
  readonly values?: readonly unknown[]
  readonly isStatement: true
}

/** Each template literal in the program is one object for ever, so its text and its name are computed once. */
const known = new WeakMap<TemplateStringsArray, { readonly name: string; readonly text: string }>()

/** The name follows from the text, so two copies of this module on one connection agree. */
function nameOf(text: string): string {
  return `s_${createHash('sha256').update(text).digest('base64url').slice(0, 22)}`
}

function isStatement(value: SqlValue): value is Statement {
  return typeof value === 'object' && value !== null && 'isStatement' in value
}

/** Dates travel as ISO text: pg would otherwise write them in the process's own time zone. */
function bind(value: SqlScalar | readonly SqlScalar[]): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return arrayLiteral(value as readonly SqlScalar[])
  return value
}

/** `{…}` as PostgreSQL reads it. The driver would escape every element by two patterns, which costs more than all else about a batch. */
function arrayLiteral(values: readonly SqlScalar[]): string {
  let text = ''
  for (const value of values) text += `${text === '' ? '' : ','}${arrayElement(value)}`
  return `{${text}}`
}

function arrayElement(value: SqlScalar): string {
  if (value === null) return 'NULL'
  if (typeof value === 'string') return /["\\]/.test(value) ? `"${value.replace(/["\\]/g, '\\$&')}"` : `"${value}"`
  if (Buffer.isBuffer(value)) return `"\\\\x${value.toString('hex')}"`
  return value instanceof Date ? `"${value.toISOString()}"` : String(value)
}

/**
 * sql`select … where id = ${id}`: values become bind parameters, never text. The statement is named, so PostgreSQL plans it
 * once per connection. A nested sql`…` is spliced in with its own parameters renumbered.
 */
export function sql(strings: TemplateStringsArray, ...values: SqlValue[]): Statement {
  if (values.some(isStatement)) return spliced(strings, values)
  let plan = known.get(strings)
  if (!plan) {
    const text = strings.reduce((all, part, index) => `${all}$${index}${part}`)
    plan = { name: nameOf(text), text }
    known.set(strings, plan)
  }
  return { ...plan, values: (values as readonly (SqlScalar | readonly SqlScalar[])[]).map(bind), isStatement: true }
}

function spliced(strings: TemplateStringsArray, values: readonly SqlValue[]): Statement {
  const bound: unknown[] = []
  let text = strings[0] ?? ''
  values.forEach((value, index) => {
    if (isStatement(value)) {
      const offset = bound.length
      text += value.text.replace(/\$(\d+)/g, (_, n: string) => `$${Number(n) + offset}`)
      bound.push(...(value.values ?? []))
    } else {
      bound.push(bind(value))
      text += `$${bound.length}`
    }
    text += strings[index + 1] ?? ''
  })
  return { text, name: nameOf(text), values: bound, isStatement: true }
}

/** Plain text with no parameters, possibly several statements: for migrations and administration only. */
export function script(text: string): Statement {
  return { text, isStatement: true }
}

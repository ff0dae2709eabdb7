import { listOf, quoted } from './gbnf.ts'
import {
  type JsonSchema,
  MAX_DEPTH,
  SchemaError,
  asSchema,
  bound,
  impliedType,
  isSchemaObject,
  mentionsReference,
  refuseUnenforced,
  resolveReference,
} from './json-schema.ts'

/**
 * Compiles a JSON Schema into a GBNF grammar whose every sentence is compact JSON that satisfies the schema. The language may
 * be narrower than the schema (properties come in their written order, nothing is added), never wider.
 */
export interface GrammarOptions {
  /** Refuse keywords that the grammar cannot enforce, instead of leaving them to chance. */
  readonly strict: boolean
  /** Longest string that a schema leaves free, in characters; null for no bound. A model that babbles never closes a quote. */
  readonly maxFreeTextLength: number | null
}

const MAX_RULES = 4096
/** Engines write every repetition out, so what a client's schema repeats in all is bounded too. */
const MAX_REPEATS = 20_000
/** Engines refuse larger repetitions, and a shorter string still satisfies the schema. */
const MAX_REPEAT = 1000
/** How deep and how wide JSON gets where a schema allows anything. */
const FREE_DEPTH = 3
const FREE_MEMBERS = 6

const NUMBER = '"-"? ("0" | [1-9] [0-9]{0,14}) ("." [0-9]{1,6})?'
const INTEGER = '"-"? ("0" | [1-9] [0-9]{0,14})'
const CHARACTER = String.raw`[^"\\\x7F\x00-\x1F] | "\\" (["\\/bfnrt] | "u00" [0-7] [0-9a-fA-F])`

export function compileJsonSchema(schema: JsonSchema, options: GrammarOptions): string {
  const rules = new Map<string, string>([['char', CHARACTER]])
  const references = new Map<string, string>()
  let repeats = 0

  function addRule(body: string, name = `r${rules.size}`): string {
    if (rules.size >= MAX_RULES) throw new SchemaError('the schema is too large')
    rules.set(name, body)
    return name
  }

  function repeated(times: number): number {
    repeats += times
    if (repeats > MAX_REPEATS) throw new SchemaError('the schema is too large')
    return times
  }

  function compile(node: JsonSchema, depth: number): string {
    if (depth > MAX_DEPTH) throw new SchemaError('the schema is nested too deeply')
    if (node === true) return freeValue(FREE_DEPTH)
    if (!isSchemaObject(node)) throw new SchemaError('a schema must be an object, and false matches nothing')
    if (options.strict) refuseUnenforced(node)
    if (Array.isArray(node['allOf'])) {
      if (node['allOf'].length !== 1) throw new SchemaError('allOf of several schemas is not supported')
      return compile(asSchema(node['allOf'][0]), depth + 1)
    }
    if (typeof node['$ref'] === 'string') return compileReference(node['$ref'], depth)
    if ('const' in node) return literal(node['const'])
    if (Array.isArray(node['enum'])) return alternatives(node['enum'].map(literal))
    const choice = node['anyOf'] ?? node['oneOf']
    if (Array.isArray(choice)) return alternatives(choice.map((option) => compile(asSchema(option), depth + 1)))
    return compileTyped(node, depth)
  }

  function compileTyped(node: { readonly [keyword: string]: unknown }, depth: number): string {
    const type = node['type'] ?? impliedType(node)
    if (Array.isArray(type)) return alternatives(type.map((one) => compileTyped({ ...node, type: one }, depth)))
    switch (type) {
      case undefined:
        return freeValue(FREE_DEPTH)
      case 'string':
        return string(node['minLength'], node['maxLength'])
      case 'integer':
        return addRule(INTEGER)
      case 'number':
        return addRule(NUMBER)
      case 'boolean':
        return addRule('"true" | "false"')
      case 'null':
        return addRule('"null"')
      case 'array':
        return compileArray(node, depth)
      case 'object':
        return compileObject(node, depth)
      default:
        throw new SchemaError(`type ${JSON.stringify(type)} is unknown`)
    }
  }

  function compileArray(node: { readonly [keyword: string]: unknown }, depth: number): string {
    const least = bound(node['minItems'], 'minItems') ?? 0
    if (least > MAX_REPEAT) throw new SchemaError(`minItems above ${MAX_REPEAT} is not supported`)
    const most =
      bound(node['maxItems'], 'maxItems') ?? (options.maxFreeTextLength === null ? null : Math.max(least, FREE_MEMBERS))
    if (most !== null && most < least) throw new SchemaError('maxItems is below minItems')
    if (most === 0) return addRule('"[]"')
    repeated(Math.min(most ?? least, MAX_REPEAT))
    const item = node['items'] === undefined ? freeValue(FREE_DEPTH - 1) : compile(asSchema(node['items']), depth + 1)
    return addRule(`"[" ${listOf(item, least, most === null ? null : Math.min(most, MAX_REPEAT))} "]"`)
  }

  function compileObject(node: { readonly [keyword: string]: unknown }, depth: number): string {
    const properties = node['properties'] === undefined ? {} : node['properties']
    if (!isSchemaObject(properties)) throw new SchemaError('properties must be an object')
    const required = Array.isArray(node['required']) ? node['required'].filter((name) => typeof name === 'string') : []
    const names = Object.keys(properties)
    const extra = node['additionalProperties']
    for (const name of required) {
      if (names.includes(name)) continue
      if (extra === false) throw new SchemaError(`${JSON.stringify(name)} is required and not allowed`)
      names.push(name)
    }
    if (names.length === 0) {
      if (extra === false || node['properties'] !== undefined) return addRule('"{}"')
      return freeObject(isSchemaObject(extra) ? compile(extra, depth + 1) : freeValue(FREE_DEPTH - 1))
    }
    const members = names
      // An optional part that refers elsewhere may lead back to here: leaving it out is what lets a recursive shape end.
      .filter((name) => required.includes(name) || !mentionsReference(properties[name], 0))
      .map(
        (name) =>
          `${quoted(`${JSON.stringify(name)}:`)} ${compile(asSchema(properties[name] ?? (isSchemaObject(extra) ? extra : true)), depth + 1)}`,
      )
    return addRule(members.length === 0 ? '"{}"' : `"{" ${members.join(' "," ')} "}"`)
  }

  function compileReference(reference: string, depth: number): string {
    const known = references.get(reference)
    if (known !== undefined) return known
    const name = addRule('""')
    references.set(reference, name)
    rules.set(name, compile(resolveReference(schema, reference), depth + 1))
    return name
  }

  function string(minLength: unknown, maxLength: unknown): string {
    const least = bound(minLength, 'minLength') ?? 0
    if (least > MAX_REPEAT) throw new SchemaError(`minLength above ${MAX_REPEAT} is not supported`)
    const stated = bound(maxLength, 'maxLength')
    if (stated !== null && stated < least) throw new SchemaError('maxLength is below minLength')
    const free = options.maxFreeTextLength === null ? null : Math.max(least, options.maxFreeTextLength)
    const most = stated === null ? free : Math.min(stated, MAX_REPEAT)
    repeated(most ?? least)
    return addRule(`"\\"" char{${least},${most ?? ''}} "\\""`)
  }

  function freeValue(depth: number): string {
    const name = `free${depth}`
    if (rules.has(name)) return name
    rules.set(name, '""')
    const parts = [string(undefined, undefined), addRule(NUMBER), addRule('"true" | "false" | "null"')]
    if (depth > 0) {
      const inner = freeValue(depth - 1)
      parts.push(
        freeObject(inner),
        addRule(`"[" ${listOf(inner, 0, options.maxFreeTextLength === null ? null : FREE_MEMBERS)} "]"`),
      )
    }
    rules.set(name, parts.join(' | '))
    return name
  }

  function freeObject(value: string): string {
    const member = addRule(`"\\"" char{1,${options.maxFreeTextLength === null ? '' : 24}} "\\":" ${value}`)
    return addRule(`"{" ${listOf(member, 0, options.maxFreeTextLength === null ? null : FREE_MEMBERS)} "}"`)
  }

  function alternatives(names: readonly string[]): string {
    if (names.length === 0) throw new SchemaError('a choice of nothing matches nothing')
    return addRule(names.join(' | '))
  }

  function literal(value: unknown): string {
    return addRule(quoted(JSON.stringify(value)))
  }

  rules.set('root', compile(schema, 0))
  return [...rules].map(([name, body]) => `${name} ::= ${body}`).join('\n')
}

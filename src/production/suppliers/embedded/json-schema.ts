/** The schema cannot be turned into a grammar; the message is for the client. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError'
}

export type JsonSchema = boolean | { readonly [keyword: string]: unknown }

/** Deeper schemas are refused: a schema comes from a client. */
export const MAX_DEPTH = 64

/** Keywords that the grammar does not follow. */
const UNENFORCED = [
  'pattern',
  'format',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'uniqueItems',
  'contains',
  'minProperties',
  'maxProperties',
  'patternProperties',
  'propertyNames',
  'dependentRequired',
  'dependentSchemas',
  'prefixItems',
  'not',
  'if',
  'then',
  'else',
  'unevaluatedProperties',
  '$dynamicRef',
]

export function isSchemaObject(value: unknown): value is { readonly [keyword: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function asSchema(value: unknown): JsonSchema {
  if (typeof value === 'boolean' || isSchemaObject(value)) return value
  throw new SchemaError('a schema must be an object or a boolean')
}

export function bound(value: unknown, keyword: string): number | null {
  if (value === undefined || value === null) return null
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0)
    throw new SchemaError(`${keyword} must be a whole number`)
  return value
}

export function impliedType(node: { readonly [keyword: string]: unknown }): string | undefined {
  if ('properties' in node || 'additionalProperties' in node) return 'object'
  return 'items' in node ? 'array' : undefined
}

export function refuseUnenforced(node: { readonly [keyword: string]: unknown }): void {
  for (const keyword of UNENFORCED)
    if (keyword in node) throw new SchemaError(`${keyword} is not supported in strict mode`)
}

export function resolveReference(root: JsonSchema, reference: string): JsonSchema {
  if (reference === '#') return root
  if (!reference.startsWith('#/')) throw new SchemaError(`reference ${JSON.stringify(reference)} leaves the schema`)
  let node: unknown = root
  for (const step of reference.slice(2).split('/')) {
    const name = step.replaceAll('~1', '/').replaceAll('~0', '~')
    node = isSchemaObject(node) && Object.hasOwn(node, name) ? node[name] : undefined
  }
  if (node === undefined) throw new SchemaError(`reference ${JSON.stringify(reference)} leads nowhere`)
  return asSchema(node)
}

export function mentionsReference(node: unknown, depth: number): boolean {
  if (depth > MAX_DEPTH) return true
  if (Array.isArray(node)) return node.some((item) => mentionsReference(item, depth + 1))
  if (!isSchemaObject(node)) return false
  return '$ref' in node || Object.values(node).some((value) => mentionsReference(value, depth + 1))
}

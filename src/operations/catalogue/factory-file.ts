import type * as z from 'zod'
import { DECIMAL_FIELDS, FactoryDeployment, FactoryFile, FactoryKey, FactorySheet, FactoryTenant } from '#contract'
import type { FactoryMistake } from '#contract'
import { explainIssue } from './factory-issues.ts'
import { field, items, partsOf } from './factory-parts.ts'
import type { FactoryParts } from './factory-parts.ts'
import { gapAt, lineUpSheets } from './model.ts'
import { readYaml } from './yaml-source.ts'
import type { YamlPath, YamlSource } from './yaml-source.ts'

/** What the installation already has, which a file may refer to without declaring it again. */
export interface KnownObjects {
  readonly suppliers: ReadonlySet<string>
  readonly tenants: ReadonlySet<string>
}

export interface ParsedFactoryFile {
  /** Present only if there is not a single mistake. */
  readonly file: FactoryFile | undefined
  /** All of them, in no order: `reported` makes them fit to be told. */
  readonly mistakes: readonly FactoryMistake[]
  /** What is right by itself, also where the file as a whole is not. */
  readonly parts: FactoryParts
  /** Places a mistake found later, when the file is compared with what is in force. */
  readonly mistake: YamlSource['mistake']
}

/**
 * Reads and checks a `factory.yaml`, reporting every mistake with its place. Pure: `nowMs` decides which price sheets are in
 * force. Prices and amounts are taken from the source text.
 */
export function parseFactoryFile(
  text: string,
  fileName: string,
  { nowMs, known }: { readonly nowMs: number; readonly known: KnownObjects },
): ParsedFactoryFile {
  const source = readYaml(text, fileName, DECIMAL_FIELDS)
  const mistakes: FactoryMistake[] = [...source.mistakes]
  const say = (path: YamlPath, message: string, of?: 'key' | 'value') =>
    mistakes.push(source.mistake(path, message, of))
  let file: FactoryFile | undefined

  if (source.value !== undefined) {
    const parsed = FactoryFile.safeParse(source.value ?? {})
    if (parsed.success) file = parsed.data
    else
      for (const issue of parsed.error.issues)
        for (const { path, message, of } of explainIssue(issue, source.value)) say(path, message, of)
    checkReferences(source.value, known, nowMs, say)
  }

  return {
    file: mistakes.length === 0 ? file : undefined,
    mistakes,
    parts: partsOf(source.value),
    mistake: source.mistake,
  }
}

type Say = (path: YamlPath, message: string, of?: 'key' | 'value') => void

/**
 * Everything that concerns more than one object. It looks at each object that is right by itself, so one wrong object neither
 * hides the mistakes of the others nor makes them appear wrong.
 */
function checkReferences(root: unknown, known: KnownObjects, nowMs: number, say: Say): void {
  const suppliers = declaredIds(root, 'suppliers', say)
  const tenants = declaredIds(root, 'tenants', say)
  declaredIds(root, 'services', say)
  declaredIds(root, 'keys', say)
  const isSupplier = (id: string) => suppliers.has(id) || known.suppliers.has(id)
  const isTenant = (id: string) => tenants.has(id) || known.tenants.has(id)

  const references = new Map<string, YamlPath>()
  eachValid(root, 'tenants', FactoryTenant, (tenant, path) => {
    for (const [index, { reference }] of tenant.topups.entries()) {
      const own = [...path, 'topups', index, 'reference']
      if (references.has(reference)) say(own, `the payment ${reference} is already in this file`)
      references.set(reference, own)
    }
  })

  eachValid(root, 'keys', FactoryKey, (key, path) => {
    if (!isTenant(key.tenant)) say([...path, 'tenant'], `there is no tenant ${key.tenant}`)
  })

  const sheetIds = new Map<string, YamlPath>()
  for (const [index, service] of items(root, 'services').entries()) {
    const path = ['services', index]
    for (const [position, tenant] of items(service, 'tenants').entries())
      if (typeof tenant === 'string' && !isTenant(tenant))
        say([...path, 'tenants', position], `there is no tenant ${tenant}`)
    checkSheets(service, 'sell', path, 'this service', sheetIds, nowMs, say)

    const pairs = new Set<string>()
    for (const [position, raw] of items(service, 'deployments').entries()) {
      const own = [...path, 'deployments', position]
      const supplier = field(raw, 'supplier')
      if (typeof supplier === 'string' && !isSupplier(supplier))
        say([...own, 'supplier'], `there is no supplier ${supplier}`)
      const pair = JSON.stringify([supplier, field(raw, 'model')])
      if (FactoryDeployment.safeParse(raw).success && pairs.has(pair))
        say(own, 'this supplier and model is already deployed for this service')
      pairs.add(pair)
      checkSheets(raw, 'buy', own, 'this deployment', sheetIds, nowMs, say)
    }
  }
}

/** Sheets of one line of prices: own ids, an end after the beginning, no overlap, and one that is in force now. */
function checkSheets(
  owner: unknown,
  side: 'sell' | 'buy',
  path: YamlPath,
  whose: string,
  seen: Map<string, YamlPath>,
  nowMs: number,
  say: Say,
): void {
  const raw = items(owner, side)
  const sheets: { readonly path: YamlPath; readonly validFromMs: number; readonly validToMs: number | null }[] = []
  let isWhole = raw.length > 0
  for (const [index, item] of raw.entries()) {
    const own = [...path, side, index]
    const id = field(item, 'id')
    if (typeof id === 'string') {
      if (seen.has(id))
        say(
          [...own, 'id'],
          `the price sheet ${id} is already in this file; ids are unique across services and suppliers`,
        )
      seen.set(id, own)
    }
    const parsed = FactorySheet.safeParse(item)
    isWhole &&= parsed.success
    if (!parsed.success) continue
    const { validFrom, validTo = null } = parsed.data
    if (validTo !== null && validTo <= validFrom) {
      say([...own, 'validTo'], 'ends before it begins')
      isWhole = false
      continue
    }
    sheets.push({ path: own, validFromMs: validFrom, validToMs: validTo })
  }
  const { overlaps, lined } = lineUpSheets(sheets)
  for (const { later } of overlaps)
    say([...later.path, 'validFrom'], `overlaps another ${side} price sheet of ${whose}`)
  if (isWhole && overlaps.length === 0 && gapAt(lined, nowMs))
    say([...path, side], `${whose} has no ${side} price that is valid now`)
}

/** Ids in one list, each said to be wrong from its second appearance on. */
function declaredIds(root: unknown, list: keyof FactoryFile, say: Say): ReadonlySet<string> {
  const ids = new Set<string>()
  for (const [index, item] of items(root, list).entries()) {
    const id = field(item, 'id')
    if (typeof id !== 'string') continue
    if (ids.has(id)) say([list, index, 'id'], `${id} is already declared above`)
    ids.add(id)
  }
  return ids
}

function eachValid<Schema extends z.ZodType>(
  root: unknown,
  list: keyof FactoryFile,
  schema: Schema,
  visit: (value: z.output<Schema>, path: YamlPath) => void,
): void {
  for (const [index, item] of items(root, list).entries()) {
    const parsed = schema.safeParse(item)
    if (parsed.success) visit(parsed.data, [list, index])
  }
}

import { FactoryDeployment, FactoryKey, FactorySheet, FactoryTenant, ServiceName, Slug } from '#contract'
import { declaredSheet } from './declare.ts'
import { lineKey, lineUpSheets } from './model.ts'
import type { PriceLine } from './model.ts'
import type { DeclaredSheet } from './plan-sheets.ts'
import type { YamlPath } from './yaml-source.ts'

/**
 * What of a file is right by itself, however wrong the rest may be, so that it can be compared with what is in force and all
 * mistakes are told at once. Of what is declared twice only the first counts.
 */
export interface FactoryParts {
  readonly keys: readonly { readonly key: FactoryKey; readonly path: YamlPath }[]
  readonly topups: readonly {
    readonly tenant: string
    readonly topup: FactoryTenant['topups'][number]
    readonly path: YamlPath
  }[]
  readonly sheets: readonly DeclaredSheet[]
  /** Lines with a sheet that could not be read: what they overlap is not known. */
  readonly unsureLines: ReadonlySet<string>
}

export function partsOf(root: unknown): FactoryParts {
  const unsureLines = new Set<string>()
  const sheetIds = new Set<string>()
  return {
    keys: withoutTwins(items(root, 'keys')).flatMap(({ item, index }) => {
      const parsed = FactoryKey.safeParse(item)
      return parsed.success ? [{ key: parsed.data, path: ['keys', index] }] : []
    }),
    topups: topupsOf(root),
    sheets: withoutTwins(items(root, 'services')).flatMap(({ item: service, index }) =>
      linesOf(service, ['services', index]).flatMap(({ line, raw, path }) => {
        const { sheets, isWhole } = sheetsOf(raw, line, path, sheetIds)
        if (!isWhole) unsureLines.add(lineKey(line))
        return sheets
      }),
    ),
    unsureLines,
  }
}

interface RawLine {
  readonly line: PriceLine
  readonly raw: readonly unknown[]
  readonly path: YamlPath
}

function linesOf(service: unknown, path: YamlPath): readonly RawLine[] {
  const id = ServiceName.safeParse(field(service, 'id'))
  if (!id.success) return []
  const pairs = new Set<string>()
  const buy = items(service, 'deployments').flatMap((deployment, position): readonly RawLine[] => {
    const supplier = FactoryDeployment.shape.supplier.safeParse(field(deployment, 'supplier'))
    const model = FactoryDeployment.shape.model.safeParse(field(deployment, 'model'))
    if (!supplier.success || !model.success) return []
    const line = { service: id.data, side: 'buy', supplier: supplier.data, model: model.data } as const
    if (pairs.has(lineKey(line))) return []
    pairs.add(lineKey(line))
    return [{ line, raw: items(deployment, 'buy'), path: [...path, 'deployments', position, 'buy'] }]
  })
  const line = { service: id.data, side: 'sell', supplier: null, model: null } as const
  return [{ line, raw: items(service, 'sell'), path: [...path, 'sell'] }, ...buy]
}

function sheetsOf(
  raw: readonly unknown[],
  line: PriceLine,
  path: YamlPath,
  seen: Set<string>,
): { readonly sheets: readonly DeclaredSheet[]; readonly isWhole: boolean } {
  const sheets: DeclaredSheet[] = []
  for (const [index, item] of raw.entries()) {
    const parsed = FactorySheet.safeParse(item)
    if (!parsed.success) continue
    const { id, validFrom, validTo = null } = parsed.data
    if ((validTo !== null && validTo <= validFrom) || (id !== undefined && seen.has(id))) continue
    if (id !== undefined) seen.add(id)
    sheets.push(declaredSheet(parsed.data, line, [...path, index]))
  }
  const wrong = new Set(lineUpSheets(sheets.map(({ row }) => row)).overlaps.map(({ later }) => later))
  const right = sheets.filter(({ row }) => !wrong.has(row))
  return { sheets: right, isWhole: right.length === raw.length }
}

function topupsOf(root: unknown): FactoryParts['topups'] {
  const seen = new Set<string>()
  return withoutTwins(items(root, 'tenants')).flatMap(({ item, index }) => {
    const tenant = Slug.safeParse(field(item, 'id'))
    if (!tenant.success) return []
    return items(item, 'topups').flatMap((one, position) => {
      const parsed = FactoryTenant.shape.topups.unwrap().element.safeParse(one)
      if (!parsed.success || seen.has(parsed.data.reference)) return []
      seen.add(parsed.data.reference)
      return [{ tenant: tenant.data, topup: parsed.data, path: ['tenants', index, 'topups', position] }]
    })
  })
}

function withoutTwins(list: readonly unknown[]): readonly { readonly item: unknown; readonly index: number }[] {
  const ids = new Set<unknown>()
  return list.flatMap((item, index) => {
    const id = field(item, 'id')
    if (ids.has(id)) return []
    ids.add(id)
    return [{ item, index }]
  })
}

export function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined
}

export function items(value: unknown, name: string): readonly unknown[] {
  const list = field(value, name)
  return Array.isArray(list) ? list : []
}

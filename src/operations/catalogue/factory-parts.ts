import type * as z from 'zod'
import {
  FactoryCalendar,
  FactoryDeployment,
  FactoryKey,
  FactorySheet,
  FactoryTable,
  FactoryTenant,
  ServiceName,
  Slug,
} from '#contract'
import { calendarRow, declaredSheet, declaredVersion } from './declare.ts'
import { lineKey, lineUp } from './model.ts'
import type { CalendarRow, Dated, PriceLine, SheetRow, TableVersionRow } from './model.ts'
import type { Declared } from './plan-dated.ts'
import type { YamlPath } from './yaml-source.ts'

/**
 * What of a file is right by itself, however wrong the rest may be, so that it can be compared with what is in force and all
 * mistakes are told at once. Of what is declared twice only the first counts.
 */
export interface FactoryParts {
  readonly keys: readonly { readonly key: FactoryKey; readonly path: YamlPath }[]
  readonly topups: readonly Payment[]
  readonly gifts: readonly Gift[]
  readonly calendars: readonly Declared<CalendarRow>[]
  readonly sheets: DeclaredLines<SheetRow>
  readonly versions: DeclaredLines<TableVersionRow>
}

interface DeclaredLines<Row> {
  readonly declared: readonly Declared<Row>[]
  /** Lines of which something could not be read: what they overlap is not known. */
  readonly unsureLines: ReadonlySet<string>
}

export interface Payment {
  readonly tenant: string
  readonly payment: FactoryTenant['topups'][number]
  readonly path: YamlPath
}

export interface Gift {
  readonly tenant: string
  readonly payment: FactoryTenant['gifts'][number]
  readonly path: YamlPath
}

export function partsOf(root: unknown): FactoryParts {
  return {
    keys: withoutTwins(items(root, 'keys')).flatMap(({ item, index }) => {
      const parsed = FactoryKey.safeParse(item)
      return parsed.success ? [{ key: parsed.data, path: ['keys', index] }] : []
    }),
    topups: ofTenants(root, 'topups', FactoryTenant.shape.topups.unwrap().element),
    gifts: ofTenants(root, 'gifts', FactoryTenant.shape.gifts.unwrap().element),
    calendars: withoutTwins(items(root, 'calendars')).flatMap(({ item, index }) => {
      const parsed = FactoryCalendar.safeParse(item)
      return parsed.success ? [{ row: calendarRow(parsed.data), path: ['calendars', index] }] : []
    }),
    sheets: readLines(
      withoutTwins(items(root, 'services')).flatMap(({ item, index }) => linesOf(item, ['services', index])),
    ),
    versions: readLines(
      withoutTwins(items(root, 'tables')).flatMap(({ item, index }): readonly RawLine<TableVersionRow>[] => {
        const id = Slug.safeParse(field(item, 'id'))
        if (!id.success) return []
        const read = (raw: unknown, path: YamlPath) => {
          const parsed = FactoryTable.shape.versions.element.safeParse(raw)
          return parsed.success ? declaredVersion(parsed.data, id.data, path) : undefined
        }
        return [{ key: id.data, raw: items(item, 'versions'), path: ['tables', index, 'versions'], read }]
      }),
    ),
  }
}

interface RawLine<Row> {
  readonly key: string
  readonly raw: readonly unknown[]
  readonly path: YamlPath
  readonly read: (raw: unknown, path: YamlPath) => Declared<Row> | undefined
}

function linesOf(service: unknown, path: YamlPath): readonly RawLine<SheetRow>[] {
  const id = ServiceName.safeParse(field(service, 'id'))
  if (!id.success) return []
  const pairs = new Set<string>()
  const buy = items(service, 'deployments').flatMap((deployment, position): readonly RawLine<SheetRow>[] => {
    const supplier = FactoryDeployment.shape.supplier.safeParse(field(deployment, 'supplier'))
    const model = FactoryDeployment.shape.model.safeParse(field(deployment, 'model'))
    if (!supplier.success || !model.success) return []
    const line = { service: id.data, side: 'buy', supplier: supplier.data, model: model.data } as const
    if (pairs.has(lineKey(line))) return []
    pairs.add(lineKey(line))
    return [priceLine(line, deployment, [...path, 'deployments', position])]
  })
  const line = { service: id.data, side: 'sell', supplier: null, model: null } as const
  return [priceLine(line, service, path), ...buy]
}

function priceLine(line: PriceLine, owner: unknown, path: YamlPath): RawLine<SheetRow> {
  const read = (raw: unknown, own: YamlPath) => {
    const parsed = FactorySheet.safeParse(raw)
    return parsed.success ? declaredSheet(parsed.data, line, own) : undefined
  }
  return { key: lineKey(line), raw: items(owner, line.side), path: [...path, line.side], read }
}

function readLines<Row extends Dated>(lines: readonly RawLine<Row>[]): DeclaredLines<Row> {
  const seen = new Set<string>()
  const unsureLines = new Set<string>()
  const declared = lines.flatMap(({ key, raw, path, read }) => {
    const own = raw.flatMap((item, index) => {
      const one = read(item, [...path, index])
      const id = field(item, 'id')
      const isTwin = typeof id === 'string' && seen.has(id)
      if (!one || isTwin || (one.row.validToMs !== null && one.row.validToMs <= one.row.validFromMs)) return []
      if (typeof id === 'string') seen.add(id)
      return [one]
    })
    const wrong = new Set(lineUp(own.map(({ row }) => row)).overlaps.map(({ later }) => later))
    const right = own.filter(({ row }) => !wrong.has(row))
    if (right.length < raw.length) unsureLines.add(key)
    return right
  })
  return { declared, unsureLines }
}

function ofTenants<Item extends { readonly reference: string }>(
  root: unknown,
  list: 'topups' | 'gifts',
  schema: z.ZodType<Item>,
): readonly { readonly tenant: string; readonly payment: Item; readonly path: YamlPath }[] {
  const seen = new Set<string>()
  return withoutTwins(items(root, 'tenants')).flatMap(({ item, index }) => {
    const tenant = Slug.safeParse(field(item, 'id'))
    if (!tenant.success) return []
    return items(item, list).flatMap((one, position) => {
      const parsed = schema.safeParse(one)
      if (!parsed.success || seen.has(parsed.data.reference)) return []
      seen.add(parsed.data.reference)
      return [{ tenant: tenant.data, payment: parsed.data, path: ['tenants', index, list, position] }]
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

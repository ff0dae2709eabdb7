import type * as z from 'zod'
import { FactoryDeployment, FactoryKey, FactoryOffer, FactorySheet, FactoryTable, FactoryTenant } from '#contract'
import type { FactoryFile } from '#contract'
import { checkLine } from './factory-lines.ts'
import type { Say } from './factory-lines.ts'
import { field, items } from './factory-parts.ts'
import { checkRouting } from './routing/check.ts'
import type { YamlPath } from './yaml-source.ts'

/** What the installation already has, which a file may refer to without declaring it again. */
export interface KnownObjects {
  readonly suppliers: ReadonlySet<string>
  readonly tenants: ReadonlySet<string>
  readonly services: ReadonlySet<string>
  readonly calendars: ReadonlySet<string>
  readonly tables: ReadonlySet<string>
  /** As `projectKey` makes them. */
  readonly projects: ReadonlySet<string>
}

export function projectKey(tenant: string, project: string): string {
  return `${tenant}/${project}`
}

/**
 * Everything that concerns more than one object. It looks at each object that is right by itself, so one wrong object neither
 * hides the mistakes of the others nor makes them appear wrong.
 */
export function checkReferences(root: unknown, known: KnownObjects, nowMs: number, say: Say): void {
  const isKnown = (list: 'suppliers' | 'tenants' | 'services' | 'calendars' | 'tables') => {
    const declared = declaredIds(root, list, say)
    return (id: string) => declared.has(id) || known[list].has(id)
  }
  const isTenant = isKnown('tenants')
  const isSupplier = isKnown('suppliers')
  const isService = isKnown('services')
  const isCalendar = isKnown('calendars')
  declaredIds(root, 'keys', say)

  checkTenants(root, isTenant, say)
  const projects = declaredProjects(root, say)
  eachValid(root, 'keys', FactoryKey, ({ tenant, project }, path) => {
    if (!isTenant(tenant)) say([...path, 'tenant'], `there is no tenant ${tenant}`)
    else if (project !== null && ![projects, known.projects].some((there) => there.has(projectKey(tenant, project))))
      say([...path, 'project'], `${tenant} has no project ${project}`)
  })

  checkServices(root, { isTenant, isSupplier, isCalendar }, nowMs, say)
  checkTables(root, isService, say)
  checkRouting(root, isService, say)
  declaredIds(root, 'offers', say)
  checkOffers(root, { isTenant, isService, isTable: isKnown('tables') }, say)
}

function checkOffers(
  root: unknown,
  is: Readonly<Record<'isTenant' | 'isService' | 'isTable', (id: string) => boolean>>,
  say: Say,
): void {
  eachValid(root, 'offers', FactoryOffer, (offer, path) => {
    const missing = (field: YamlPath, noun: string, id: string) => say([...path, ...field], `there is no ${noun} ${id}`)
    for (const [index, tenant] of offer.tenants.entries())
      if (!is.isTenant(tenant)) missing(['tenants', index], 'tenant', tenant)
    if ('services' in offer)
      for (const [index, service] of offer.services.entries())
        if (!is.isService(service)) missing(['services', index], 'service', service)
    if (offer.kind === 'package' && offer.table !== 'CNY' && !is.isTable(offer.table))
      missing(['table'], 'conversion table', offer.table)
    if (offer.kind === 'plan')
      for (const [index, { table }] of offer.grants.entries())
        if (!is.isTable(table)) missing(['grants', index, 'table'], 'conversion table', table)
  })
}

interface Lookups {
  readonly isTenant: (id: string) => boolean
  readonly isSupplier: (id: string) => boolean
  readonly isCalendar: (id: string) => boolean
}

function checkServices(root: unknown, { isTenant, isSupplier, isCalendar }: Lookups, nowMs: number, say: Say): void {
  const seen = new Map<string, YamlPath>()
  const checkSheets = (owner: unknown, side: 'sell' | 'buy', path: YamlPath, whose: string) => {
    const another = `another ${side} price sheet of ${whose}`
    const gap = { message: `${whose} has no ${side} price that is valid now`, nowMs }
    const raw = items(owner, side)
    checkLine({ raw, schema: FactorySheet, path: [...path, side], seen, noun: 'price sheet', another, gap }, say)
    for (const [index, sheet] of raw.entries()) {
      const calendar = field(field(sheet, 'peak'), 'calendar')
      if (typeof calendar === 'string' && !isCalendar(calendar))
        say([...path, side, index, 'peak', 'calendar'], `there is no calendar ${calendar}`)
    }
  }
  for (const [index, service] of items(root, 'services').entries()) {
    const path = ['services', index]
    for (const [position, tenant] of items(service, 'tenants').entries())
      if (typeof tenant === 'string' && !isTenant(tenant))
        say([...path, 'tenants', position], `there is no tenant ${tenant}`)
    checkSheets(service, 'sell', path, 'this service')

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
      checkSheets(raw, 'buy', own, 'this deployment')
    }
  }
}

function checkTables(root: unknown, isService: (id: string) => boolean, say: Say): void {
  const seen = new Map<string, YamlPath>()
  for (const [index, table] of items(root, 'tables').entries()) {
    const path = ['tables', index, 'versions']
    const raw = items(table, 'versions')
    const schema = FactoryTable.shape.versions.element
    checkLine({ raw, schema, path, seen, noun: 'version', another: 'another version of this table' }, say)
    for (const [position, version] of raw.entries()) {
      const services = new Set<string>()
      for (const [place, weight] of items(version, 'weights').entries()) {
        const service = field(weight, 'service')
        if (typeof service !== 'string') continue
        const own = [...path, position, 'weights', place, 'service']
        if (!isService(service)) say(own, `there is no service ${service}`)
        if (services.has(service)) say(own, `${service} already has its weights in this version`)
        services.add(service)
      }
    }
  }
}

function checkTenants(root: unknown, isTenant: (id: string) => boolean, say: Say): void {
  for (const [list, noun] of [
    ['topups', 'payment'],
    ['gifts', 'gift'],
  ] as const) {
    const references = new Set<string>()
    eachValid(root, 'tenants', FactoryTenant, (tenant, path) => {
      for (const [index, { reference }] of tenant[list].entries()) {
        if (references.has(reference))
          say([...path, list, index, 'reference'], `the ${noun} ${reference} is already in this file`)
        references.add(reference)
      }
    })
  }
  eachValid(root, 'tenants', FactoryTenant, ({ id, sharesWith }, path) => {
    const members = new Set<string>()
    for (const [index, member] of sharesWith.entries()) {
      const own = [...path, 'sharesWith', index]
      if (member === id) say(own, 'a tenant pays with its own wallet anyhow')
      else if (!isTenant(member)) say(own, `there is no tenant ${member}`)
      if (members.has(member)) say(own, `${member} is already named`)
      members.add(member)
    }
  })
}

function declaredProjects(root: unknown, say: Say): ReadonlySet<string> {
  const projects = new Set<string>()
  for (const [index, tenant] of items(root, 'tenants').entries())
    for (const [position, project] of items(tenant, 'projects').entries()) {
      const [owner, id] = [field(tenant, 'id'), field(project, 'id')]
      if (typeof owner !== 'string' || typeof id !== 'string') continue
      const key = projectKey(owner, id)
      if (projects.has(key)) say(['tenants', index, 'projects', position, 'id'], `${id} is already declared above`)
      projects.add(key)
    }
  return projects
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

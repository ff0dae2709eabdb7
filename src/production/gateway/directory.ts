import type { ServiceTier, SlaTarget, Snapshot, Strategy } from '#contract'
import { parseCalendars } from '#kernel'
import { CLASSES, ceilingsFor } from '#admission'
import type { Ceiling, ClassPolicies, Quota, Slot } from '#admission'
import type { Tokenizer } from '#metering'
import type { Endpoint, Market } from '#scheduler'
import { endpointOf } from './market.ts'
import { arrangeFunding } from './means.ts'
import type { Funding } from './means.ts'
import { readSheets } from './pricing.ts'
import type { Sheet } from './pricing.ts'
import type { SupplierLine } from './supplier-line.ts'
import { readTables } from './tables.ts'
import type { Table } from './tables.ts'

/** Who a key belongs to and what it may use up. */
export interface Caller {
  readonly key: string
  readonly tenant: string
  readonly state: 'active' | 'revoked' | 'suspended'
  readonly expiresAtMs: number | null
  readonly quotas: readonly Quota[]
  /** Its tenant's part beside others while requests wait. */
  readonly weight: number
  /** The bucket of the tenant's own wallet, which pays for everything unless `funding` says otherwise. */
  readonly wallet: string
  readonly funding: Funding | undefined
  readonly strategy: Strategy
  /** Where its data may be processed; undefined: anywhere the service may be served. */
  readonly regions: readonly string[] | undefined
  /** May be told who served it. */
  readonly seesSuppliers: boolean
}

export interface Line extends Endpoint {
  readonly supplier: SupplierLine
  readonly buySheets: readonly Sheet[]
  /** Goes on from a partial answer; our own engine does. */
  readonly goesOn: boolean
  /** How full the supplier may be for each class, by rank. */
  readonly ceilings: readonly Ceiling[]
}

export interface OfferedService {
  readonly id: string
  readonly createdMs: number
  readonly contextTokens: number
  readonly maxOutputTokens: number
  readonly firstByteTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly totalTimeoutMs: number
  /** Within which the first token is due, by class. */
  readonly ttftBudgetsMs: Readonly<Record<ServiceTier, number>>
  readonly tokenizer: Tokenizer
  readonly sla: readonly SlaTarget[]
  /** A late request may be sent to a second supplier. */
  readonly hedge: boolean
  /** Where it may be served; undefined: anywhere. */
  readonly regions: readonly string[] | undefined
  readonly sellSheets: readonly Sheet[]
  readonly lines: readonly Line[]
  mayUse(tenant: string): boolean
}

/** The snapshot, arranged for looking things up while a request waits. Never changed; a new snapshot makes a new one. */
export interface Directory {
  readonly version: number
  readonly services: ReadonlyMap<string, OfferedService>
  readonly callers: ReadonlyMap<string, Caller>
  readonly tables: ReadonlyMap<string, Table>
  /** What of it is for the scheduler. */
  readonly market: Market<Line>
}

export const EMPTY_DIRECTORY: Directory = {
  version: -1,
  services: new Map(),
  callers: new Map(),
  tables: new Map(),
  market: { services: [], links: [], commitments: [], lots: [] },
}

export interface DirectoryParts {
  readonly classes: ClassPolicies
  /** Slot of `key:<id>` or `tenant:<id>` in the shared limit table. */
  slotOf(name: string): Slot
  supplierLine(supplier: Snapshot['suppliers'][number]): SupplierLine
  tokenizer(spec: Snapshot['services'][number]['tokenizer']): Tokenizer
}

export function arrange(snapshot: Snapshot, parts: DirectoryParts): Directory {
  const tenants = new Map(snapshot.tenants.map((tenant) => [tenant.id, tenant]))
  const tables = readTables(snapshot.tables ?? [])
  const calendars = parseCalendars(snapshot.calendars ?? [])
  const suppliers = new Map(
    snapshot.suppliers.map((supplier) => [supplier.id, { terms: supplier, line: parts.supplierLine(supplier) }]),
  )
  const callers = new Map<string, Caller>()
  for (const key of snapshot.keys) {
    const tenant = tenants.get(key.tenant)
    if (!tenant) continue
    callers.set(key.hash, {
      key: key.id,
      tenant: key.tenant,
      state: key.status === 'revoked' ? 'revoked' : tenant.status === 'suspended' ? 'suspended' : 'active',
      expiresAtMs: key.expiresAtMs,
      quotas: [
        { scope: 'API key' as const, slot: parts.slotOf(`key:${key.id}`), limits: key.limits },
        { scope: 'tenant' as const, slot: parts.slotOf(`tenant:${tenant.id}`), limits: tenant.limits },
      ].filter(({ limits }) => Object.values(limits).some((value) => value !== undefined)),
      weight: tenant.weight ?? 1,
      wallet: `wallet:${tenant.id}`,
      funding: arrangeFunding(tenant, key, tables),
      strategy: tenant.strategy ?? 'balanced',
      regions: tenant.regions,
      seesSuppliers: tenant.seesSuppliers ?? false,
    })
  }
  const sold = classesSold(snapshot)
  const services = snapshot.services.map((service): OfferedService => {
    const allowed = new Set(service.tenants)
    return {
      ...service,
      sla: service.sla ?? [],
      hedge: service.hedge ?? false,
      regions: service.regions,
      tokenizer: parts.tokenizer(service.tokenizer),
      sellSheets: readSheets(service.sellSheets, calendars),
      ttftBudgetsMs: ttftBudgetsOf(service),
      mayUse: (tenant) => allowed.size === 0 || allowed.has(tenant),
      lines: service.deployments
        .toSorted((a, b) => a.priority - b.priority)
        .flatMap((deployment) => {
          const supplier = suppliers.get(deployment.supplier)
          if (!supplier) return []
          const buySheets = readSheets(deployment.buySheets, calendars)
          return [
            {
              ...endpointOf(deployment, supplier.terms, { hasCredentials: supplier.line.hasCredentials, buySheets }),
              supplier: supplier.line,
              buySheets,
              goesOn: deployment.features?.includes('prefill') ?? supplier.terms.kind === 'embedded',
              ceilings: ceilingsFor(sold.get(supplier.line.id) ?? new Set(), parts.classes),
            },
          ]
        }),
    }
  })
  return {
    version: snapshot.version,
    callers,
    services: new Map(services.map((service) => [service.id, service])),
    tables,
    market: {
      services: services.map(({ id, sla, regions, lines }) => ({ id, sla, regions, endpoints: lines })),
      links: snapshot.links ?? [],
      commitments: snapshot.commitments ?? [],
      lots: snapshot.lots ?? [],
    },
  }
}

/** The classes that each supplier's services are sold in. */
function classesSold({ services }: Snapshot): ReadonlyMap<string, ReadonlySet<ServiceTier>> {
  const sold = new Map<string, Set<ServiceTier>>()
  for (const { deployments, sellSheets } of services)
    for (const { supplier } of deployments) {
      const classes = sold.get(supplier) ?? new Set<ServiceTier>(['standard'])
      for (const { variants = [] } of sellSheets) for (const { when } of variants) if (when.tier) classes.add(when.tier)
      sold.set(supplier, classes)
    }
  return sold
}

/** What the service promises for a class, or where nothing is promised, how long its suppliers are listened to. */
function ttftBudgetsOf({ sla = [], firstByteTimeoutMs }: Snapshot['services'][number]): Record<ServiceTier, number> {
  const of = (tier: ServiceTier) => sla.find((target) => target.class === tier)?.ttftMs ?? firstByteTimeoutMs
  const [priority, standard, flex, batch] = CLASSES.map(of) as [number, number, number, number]
  return { priority, standard, flex, batch }
}

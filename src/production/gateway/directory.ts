import type { Snapshot } from '#contract'
import { parseCalendars } from '#kernel'
import type { Quota, Slot } from '#admission'
import type { Tokenizer } from '#metering'
import type { Deployable } from '#scheduler'
import { arrangeFunding } from './means.ts'
import type { Funding } from './means.ts'
import { readSheets, sheetAt } from './pricing.ts'
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
  /** The bucket of the tenant's own wallet, which pays for everything unless `funding` says otherwise. */
  readonly wallet: string
  readonly funding: Funding | undefined
}

export interface Line extends Deployable {
  readonly supplier: SupplierLine
  readonly buySheets: readonly Sheet[]
}

export interface OfferedService {
  readonly id: string
  readonly createdMs: number
  readonly contextTokens: number
  readonly maxOutputTokens: number
  readonly firstByteTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly totalTimeoutMs: number
  readonly tokenizer: Tokenizer
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
}

export interface DirectoryParts {
  /** Slot of `key:<id>` or `tenant:<id>` in the shared limit table. */
  slotOf(name: string): Slot
  supplierLine(supplier: Snapshot['suppliers'][number]): SupplierLine
  tokenizer(spec: Snapshot['services'][number]['tokenizer']): Tokenizer
}

export function arrange(snapshot: Snapshot, parts: DirectoryParts): Directory {
  const tenants = new Map(snapshot.tenants.map((tenant) => [tenant.id, tenant]))
  const tables = readTables(snapshot.tables ?? [])
  const calendars = parseCalendars(snapshot.calendars ?? [])
  const suppliers = new Map(snapshot.suppliers.map((supplier) => [supplier.id, parts.supplierLine(supplier)]))
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
      wallet: `wallet:${tenant.id}`,
      funding: arrangeFunding(tenant, key, tables),
    })
  }
  const services = snapshot.services.map((service): OfferedService => {
    const allowed = new Set(service.tenants)
    return {
      ...service,
      tokenizer: parts.tokenizer(service.tokenizer),
      sellSheets: readSheets(service.sellSheets, calendars),
      mayUse: (tenant) => allowed.size === 0 || allowed.has(tenant),
      lines: service.deployments
        .toSorted((a, b) => a.priority - b.priority)
        .flatMap((deployment) => {
          const supplier = suppliers.get(deployment.supplier)
          if (!supplier) return []
          const buySheets = readSheets(deployment.buySheets, calendars)
          return [
            {
              supplier,
              supplierId: supplier.id,
              model: deployment.model,
              breaker: `${supplier.id} ${deployment.model}`,
              priority: deployment.priority,
              hasCredentials: supplier.hasCredentials,
              hasPriceAt: (nowMs: number) => sheetAt(buySheets, nowMs) !== undefined,
              buySheets,
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
  }
}

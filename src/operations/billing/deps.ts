import type { Charging } from '#charging'
import type { Clock } from '#platform/clock'
import type { Database, Transaction } from '#platform/postgres'
import type { FapiaoGateway } from './fapiao/gateway.ts'
import type { TaxOfSheet } from './rollup/service.ts'

/** Who decides about service where invoices are not paid. */
export interface ArrearsPort {
  setOverdue(tx: Transaction, debt: Debt & { readonly sinceMs: number }): Promise<void>
  clear(tx: Transaction, debt: Debt): Promise<void>
}

interface Debt {
  readonly tenant: string
  readonly kind: 'invoice'
  readonly reference: string
  readonly by: string
}

/** What the room needs from its surroundings. */
export interface BillingDeps {
  readonly database: Database
  readonly clock: Clock
  readonly charging: Charging
  readonly taxOf: TaxOfSheet
  /** What a tenant is called where nobody has said how to address it. */
  readonly tenantName: (tenant: string) => Promise<string | undefined>
  readonly fapiao: FapiaoGateway
  /** Absent: nobody is told. */
  readonly arrears?: ArrearsPort | undefined
}

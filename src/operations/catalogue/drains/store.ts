import type { DrainView } from '#contract'
import type { Queryable, Transaction } from '#platform/postgres'
import { sql } from '#platform/postgres'

interface Act {
  readonly supplier: string
  readonly by: string
  readonly reason: string
  readonly nowMs: number
}

export async function insertDrain(tx: Transaction, { supplier, by, reason, nowMs }: Act): Promise<void> {
  await tx.rows(sql`
    insert into catalogue.supplier_drain (supplier, drained_at, drained_by, drain_reason)
    values (${supplier}, ${new Date(nowMs)}, ${by}, ${reason})
  `)
}

export async function endDrain(tx: Transaction, { supplier, by, reason, nowMs }: Act): Promise<void> {
  await tx.rows(sql`
    update catalogue.supplier_drain
       set undrained_at = greatest(drained_at, ${new Date(nowMs)}), undrained_by = ${by}, undrain_reason = ${reason}
     where supplier = ${supplier} and undrained_at is null
  `)
}

/** The drains in force; with `limit`, the newest of all instead. */
export async function selectDrains(db: Queryable, limit?: number): Promise<DrainView[]> {
  const rows = await db.rows<Row>(sql`
    select supplier, drained_at as "drainedAt", drained_by as "drainedBy", drain_reason as "drainReason",
           undrained_at as "undrainedAt", undrained_by as "undrainedBy", undrain_reason as "undrainReason"
      from catalogue.supplier_drain
     where ${limit !== undefined} or undrained_at is null
     order by id desc
     limit ${limit ?? 10_000}
  `)
  return rows.map(({ drainedAt, undrainedAt, ...row }) => ({
    ...row,
    drainedAtMs: drainedAt.getTime(),
    undrainedAtMs: undrainedAt?.getTime() ?? null,
  }))
}

interface Row {
  readonly supplier: string
  readonly drainedAt: Date
  readonly drainedBy: string
  readonly drainReason: string
  readonly undrainedAt: Date | null
  readonly undrainedBy: string | null
  readonly undrainReason: string | null
}

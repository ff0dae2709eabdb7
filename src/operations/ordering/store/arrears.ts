import type { ArrearsState } from '#contract'
import { sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'

export interface DebtRow {
  readonly tenant: string
  readonly kind: 'invoice' | 'fee'
  readonly reference: string
  readonly sinceMs: number
  readonly clearedAtMs: number | null
}

/** Repeating it changes nothing; a debt that was cleared and is told again is open again. */
export async function putDebt(tx: Transaction, debt: Omit<DebtRow, 'clearedAtMs'>): Promise<void> {
  await tx.rows(sql`
    insert into ordering.debt (tenant, kind, reference, since_ms)
    values (${debt.tenant}, ${debt.kind}, ${debt.reference}, ${debt.sinceMs}::bigint)
        on conflict (tenant, kind, reference) do update
       set since_ms = excluded.since_ms, cleared_at_ms = null where debt.cleared_at_ms is not null
  `)
}

/** Without `reference`: all of this kind. */
export async function clearDebts(
  tx: Transaction,
  { tenant, kind, reference }: { readonly tenant: string; readonly kind: string; readonly reference: string },
  nowMs: number,
): Promise<void> {
  await tx.rows(sql`
    update ordering.debt set cleared_at_ms = ${nowMs}::bigint
     where tenant = ${tenant} and kind = ${kind} and reference = ${reference} and cleared_at_ms is null
  `)
}

/** What was owed and is: by tenant, oldest first. Without `tenant`: of everybody who owes. */
export async function selectDebts(db: Queryable, tenant: string | null): Promise<DebtRow[]> {
  const rows = await db.rows<{
    tenant: string
    kind: DebtRow['kind']
    reference: string
    since: bigint
    cleared: bigint | null
  }>(sql`
    select tenant, kind, reference, since_ms as since, cleared_at_ms as cleared
      from ordering.debt
     where ${tenant}::text is null or tenant = ${tenant}
     order by tenant, since_ms, kind, reference
  `)
  return rows.map(({ since, cleared, ...row }) => ({
    ...row,
    sinceMs: Number(since),
    clearedAtMs: cleared === null ? null : Number(cleared),
  }))
}

export interface ArrearsRow {
  readonly tenant: string
  readonly state: ArrearsState
  readonly sinceMs: number
}

export async function selectArrears(db: Queryable, tenant: string | null): Promise<ArrearsRow[]> {
  const rows = await db.rows<{ tenant: string; state: ArrearsState; since: bigint }>(sql`
    select tenant, state, since_ms as since from ordering.arrears
     where ${tenant}::text is null or tenant = ${tenant} order by tenant
  `)
  return rows.map(({ since, ...row }) => ({ ...row, sinceMs: Number(since) }))
}

export async function putArrears(tx: Transaction, { tenant, state, sinceMs }: ArrearsRow): Promise<void> {
  await tx.rows(sql`
    insert into ordering.arrears (tenant, state, since_ms) values (${tenant}, ${state}, ${sinceMs}::bigint)
        on conflict (tenant) do update set state = excluded.state, since_ms = excluded.since_ms
  `)
}

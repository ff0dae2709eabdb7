import { sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'

export interface Refund {
  readonly reference: string
  readonly tenant: string
  readonly amountFen: bigint
  readonly state: 'requested' | 'paid'
  readonly requestedAtMs: number
  readonly paidAtMs: number | null
}

interface Row {
  reference: string
  tenant: string
  amount_fen: bigint
  state: Refund['state']
  requested_at_ms: bigint
  paid_at_ms: bigint | null
}

function toRefund({ reference, tenant, amount_fen, state, requested_at_ms, paid_at_ms }: Row): Refund {
  const paidAtMs = paid_at_ms === null ? null : Number(paid_at_ms)
  return { reference, tenant, amountFen: amount_fen, state, requestedAtMs: Number(requested_at_ms), paidAtMs }
}

const columns = sql`reference, tenant, amount_fen, state, requested_at_ms, paid_at_ms`

export async function findRefund(tx: Transaction, reference: string): Promise<Refund | undefined> {
  const [row] = await tx.rows<Row>(sql`select ${columns} from billing.refund where reference = ${reference}`)
  return row && toRefund(row)
}

/** True if the reference is new. */
export async function insertRefund(
  tx: Transaction,
  refund: { reference: string; tenant: string; amountFen: bigint; atMs: number; by: string },
): Promise<boolean> {
  const rows = await tx.rows(sql`
    insert into billing.refund (reference, tenant, amount_fen, state, requested_at_ms, requested_by)
    values (${refund.reference}, ${refund.tenant}, ${refund.amountFen}::bigint, 'requested', ${refund.atMs}::bigint, ${refund.by})
    on conflict do nothing returning reference
  `)
  return rows.length === 1
}

export async function setPaid(tx: Transaction, paid: { reference: string; atMs: number; by: string }): Promise<void> {
  await tx.rows(sql`
    update billing.refund set state = 'paid', paid_at_ms = ${paid.atMs}::bigint, paid_by = ${paid.by} where reference = ${paid.reference}
  `)
}

/** Newest first. */
export async function listRefunds(
  db: Queryable,
  query: { tenant: string | undefined; limit: number },
): Promise<Refund[]> {
  return (
    await db.rows<Row>(sql`
      select ${columns} from billing.refund where ${query.tenant === undefined ? sql`true` : sql`tenant = ${query.tenant}`}
       order by requested_at_ms desc, reference limit ${query.limit}
    `)
  ).map(toRefund)
}

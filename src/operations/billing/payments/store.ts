import { sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'
import type { DunningStage } from '../model/states.ts'

export interface Payment {
  readonly reference: string
  readonly tenant: string
  readonly amountFen: bigint
  readonly restFen: bigint
  readonly document: string | null
  readonly postingId: string | null
  readonly bookedAtMs: number
  readonly bookedBy: string
}

interface Row {
  reference: string
  tenant: string
  amount_fen: bigint
  rest_fen: bigint
  document: string | null
  posting_id: string | null
  booked_at_ms: bigint
  booked_by: string
}

function toPayment(row: Row): Payment {
  return {
    reference: row.reference,
    tenant: row.tenant,
    amountFen: row.amount_fen,
    restFen: row.rest_fen,
    document: row.document,
    postingId: row.posting_id,
    bookedAtMs: Number(row.booked_at_ms),
    bookedBy: row.booked_by,
  }
}

const columns = sql`reference, tenant, amount_fen, rest_fen, document, posting_id, booked_at_ms, booked_by`

export async function findPayment(db: Queryable, reference: string): Promise<Payment | undefined> {
  const [row] = await db.rows<Row>(sql`select ${columns} from billing.payment where reference = ${reference}`)
  return row && toPayment(row)
}

/** True if the reference is new. */
export async function insertPayment(tx: Transaction, payment: Payment): Promise<boolean> {
  const rows = await tx.rows(sql`
    insert into billing.payment (reference, tenant, amount_fen, rest_fen, document, posting_id, booked_at_ms, booked_by)
    values (${payment.reference}, ${payment.tenant}, ${payment.amountFen}::bigint, ${payment.restFen}::bigint, ${payment.document},
      ${payment.postingId}, ${payment.bookedAtMs}::bigint, ${payment.bookedBy})
    on conflict do nothing returning reference
  `)
  return rows.length === 1
}

/** Newest first. */
export async function listPayments(
  db: Queryable,
  query: { tenant: string | undefined; limit: number },
): Promise<Payment[]> {
  return (
    await db.rows<Row>(sql`
      select ${columns} from billing.payment where ${query.tenant === undefined ? sql`true` : sql`tenant = ${query.tenant}`}
       order by booked_at_ms desc, reference limit ${query.limit}
    `)
  ).map(toPayment)
}

export interface Overdue {
  readonly id: string
  readonly tenant: string
  readonly dueAtMs: number
  readonly dunning: DunningStage
}

export async function overdueDocuments(db: Queryable, nowMs: number): Promise<Overdue[]> {
  const rows = await db.rows<{ id: string; tenant: string; due_at_ms: bigint; dunning: DunningStage }>(sql`
    select id, tenant, due_at_ms, dunning from billing.document
     where state in ('sent', 'partiallyPaid') and due_fen > 0 and due_at_ms < ${nowMs}::bigint order by tenant, due_at_ms, id
  `)
  return rows.map(({ id, tenant, due_at_ms, dunning }) => ({ id, tenant, dueAtMs: Number(due_at_ms), dunning }))
}

export async function setDunning(tx: Transaction, id: string, stage: DunningStage): Promise<void> {
  await tx.rows(sql`update billing.document set dunning = ${stage} where id = ${id}`)
}

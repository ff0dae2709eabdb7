import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'

export interface Fee {
  readonly reference: string
  readonly tenant: string
  readonly amount: bigint
  readonly net: bigint
  readonly credit: bigint
  readonly revenue: 'package' | 'reservation' | 'other'
  /** The time over which it is earned; null: at once, or as its package is used up. */
  readonly term: { readonly fromMs: number; readonly toMs: number } | null
  readonly recognised: bigint
  readonly refunded: bigint
  readonly refundedNet: bigint
  readonly chargedAtMs: number
}

interface Raw {
  reference: string
  tenant: string
  amount: string
  net: string
  credit: string
  revenue: Fee['revenue']
  from_ms: bigint | null
  to_ms: bigint | null
  recognised: string
  refunded: string
  refunded_net: string
  charged_at_ms: bigint
}

const columns = sql`reference, tenant, amount, net, credit, revenue, from_ms, to_ms, recognised, refunded, refunded_net, charged_at_ms`

function toFee(row: Raw): Fee {
  return {
    reference: row.reference,
    tenant: row.tenant,
    amount: integerFromNumeric(row.amount),
    net: integerFromNumeric(row.net),
    credit: integerFromNumeric(row.credit),
    revenue: row.revenue,
    term: row.from_ms === null || row.to_ms === null ? null : { fromMs: Number(row.from_ms), toMs: Number(row.to_ms) },
    recognised: integerFromNumeric(row.recognised),
    refunded: integerFromNumeric(row.refunded),
    refundedNet: integerFromNumeric(row.refunded_net),
    chargedAtMs: Number(row.charged_at_ms),
  }
}

export async function findFee(db: Queryable, reference: string): Promise<Fee | undefined> {
  const [row] = await db.rows<Raw>(sql`select ${columns} from charging.fee where reference = ${reference}`)
  return row && toFee(row)
}

export async function lockFee(tx: Transaction, reference: string): Promise<Fee | undefined> {
  const [row] = await tx.rows<Raw>(sql`select ${columns} from charging.fee where reference = ${reference} for update`)
  return row && toFee(row)
}

export async function insertFee(tx: Transaction, fee: Fee): Promise<void> {
  await tx.rows(sql`
    insert into charging.fee (reference, tenant, amount, net, credit, revenue, from_ms, to_ms, charged_at_ms)
    values (${fee.reference}, ${fee.tenant}, ${fee.amount}::numeric, ${fee.net}::numeric, ${fee.credit}::numeric, ${fee.revenue},
      ${fee.term?.fromMs ?? null}::bigint, ${fee.term?.toMs ?? null}::bigint, ${fee.chargedAtMs}::bigint)
  `)
}

export async function changeFee(
  tx: Transaction,
  fee: Pick<Fee, 'reference' | 'recognised' | 'refunded' | 'refundedNet'>,
): Promise<void> {
  await tx.rows(sql`
    update charging.fee
       set recognised = ${fee.recognised}::numeric, refunded = ${fee.refunded}::numeric, refunded_net = ${fee.refundedNet}::numeric
     where reference = ${fee.reference}
  `)
}

/** Fees that are earned over time and not whole yet, a page at a time and locked. */
export async function feesToRecognise(
  tx: Transaction,
  page: { nowMs: number; afterReference: string; limit: number },
): Promise<Fee[]> {
  return (
    await tx.rows<Raw>(sql`
      select ${columns} from charging.fee
       where from_ms is not null and recognised + refunded_net < net and from_ms < ${page.nowMs}::bigint and reference > ${page.afterReference}
       order by reference limit ${page.limit} for update
    `)
  ).map(toFee)
}

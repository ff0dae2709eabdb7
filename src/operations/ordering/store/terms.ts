import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'

export interface Term {
  readonly subscription: string
  readonly seq: number
  readonly order: string
  readonly offer: string
  readonly fromMs: number
  readonly toMs: number | null
  readonly grossPico: bigint
  readonly netPico: bigint
  readonly refundedPico: bigint
  /** The fee in charging; null where it cost nothing. */
  readonly reference: string | null
  readonly lots: readonly string[]
  readonly definitions: readonly string[]
  readonly isEnded: boolean
}

export async function insertTerm(tx: Transaction, term: Term): Promise<void> {
  await tx.rows(sql`
    insert into ordering.term (subscription, seq, product_order, offer, from_ms, to_ms, gross, net, refunded, reference, lots, definitions, ended)
    values (${term.subscription}, ${term.seq}, ${term.order}, ${term.offer}, ${term.fromMs}::bigint, ${term.toMs}::bigint,
            ${term.grossPico}::numeric, ${term.netPico}::numeric, ${term.refundedPico}::numeric, ${term.reference},
            ${term.lots}::text[], ${term.definitions}::text[], ${term.isEnded})
  `)
}

/** A term is given back once, in whole or in part. */
export async function endTerm(tx: Transaction, term: Term, refundedPico: bigint): Promise<void> {
  await tx.rows(sql`
    update ordering.term set refunded = ${refundedPico}::numeric, ended = true
     where subscription = ${term.subscription} and seq = ${term.seq}
  `)
}

/** By subscription, in order. */
export async function selectTerms(db: Queryable, subscriptions: readonly string[]): Promise<Term[]> {
  const rows = await db.rows<{
    subscription: string
    seq: number
    order: string
    offer: string
    fromMs: bigint
    toMs: bigint | null
    gross: string
    net: string
    refunded: string
    reference: string | null
    lots: string[]
    definitions: string[]
    isEnded: boolean
  }>(sql`
    select subscription, seq, product_order as "order", offer, from_ms as "fromMs", to_ms as "toMs", gross, net, refunded, reference,
           lots, definitions, ended as "isEnded"
      from ordering.term
     where subscription = any(${subscriptions}::text[])
     order by subscription, seq
  `)
  return rows.map(({ gross, net, refunded, fromMs, toMs, ...row }) => ({
    ...row,
    fromMs: Number(fromMs),
    toMs: toMs === null ? null : Number(toMs),
    grossPico: integerFromNumeric(gross),
    netPico: integerFromNumeric(net),
    refundedPico: integerFromNumeric(refunded),
  }))
}

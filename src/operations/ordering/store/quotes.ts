import { Configuration } from '#contract'
import { sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'
import { PricedJson, pricedFrom, pricedJson } from './priced.ts'
import type { Priced } from '../model/pricing.ts'

export interface Quote {
  readonly id: string
  readonly tenant: string
  readonly offer: string
  readonly configuration: Configuration
  readonly priced: Priced
  readonly createdBy: string
  readonly createdAtMs: number
  readonly expiresAtMs: number
}

export async function insertQuote(tx: Queryable, quote: Quote): Promise<void> {
  await tx.rows(sql`
    insert into ordering.quote (id, tenant, offer, configuration, priced, created_by, created_at_ms, expires_at_ms)
    values (${quote.id}, ${quote.tenant}, ${quote.offer}, ${JSON.stringify(quote.configuration)},
            ${JSON.stringify(pricedJson(quote.priced))}, ${quote.createdBy}, ${quote.createdAtMs}::bigint,
            ${quote.expiresAtMs}::bigint)
  `)
}

/** Quotes that hold and were not ordered. */
export async function countOpenQuotes(db: Queryable, tenant: string, nowMs: number): Promise<number> {
  const [row] = await db.rows<{ open: bigint }>(sql`
    select count(*) as open from ordering.quote q
     where q.tenant = ${tenant} and q.expires_at_ms > ${nowMs}::bigint
       and not exists (select 1 from ordering.product_order o where o.quote = q.id)
  `)
  return Number(row?.open ?? 0)
}

/** With the order that was made of it. */
export async function selectQuote(
  db: Queryable,
  id: string,
): Promise<{ readonly quote: Quote; readonly order: string | null } | undefined> {
  const [row] = await db.rows<{
    id: string
    tenant: string
    offer: string
    configuration: unknown
    priced: unknown
    createdBy: string
    createdAtMs: bigint
    expiresAtMs: bigint
    order: string | null
  }>(sql`
    select q.id, q.tenant, q.offer, q.configuration, q.priced, q.created_by as "createdBy",
           q.created_at_ms as "createdAtMs", q.expires_at_ms as "expiresAtMs", o.id as "order"
      from ordering.quote q
      left join ordering.product_order o on o.quote = q.id
     where q.id = ${id}
  `)
  if (!row) return undefined
  const { order, ...rest } = row
  return {
    order,
    quote: {
      ...rest,
      configuration: Configuration.parse(row.configuration),
      priced: pricedFrom(PricedJson.parse(row.priced)),
      createdAtMs: Number(row.createdAtMs),
      expiresAtMs: Number(row.expiresAtMs),
    },
  }
}

/** Serialises everything that concerns one tenant's orders, so that two of them see one another. */
export async function lockDesk(tx: Transaction, tenant: string): Promise<void> {
  await tx.rows(sql`insert into ordering.desk (tenant) values (${tenant}) on conflict do nothing`)
  await tx.rows(sql`select tenant from ordering.desk where tenant = ${tenant} for update`)
}

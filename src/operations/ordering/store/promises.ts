import { sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'
import type { Priced } from '../model/pricing.ts'
import { PricedJson, pricedFrom, pricedJson } from './priced.ts'

export async function insertPromise(tx: Transaction, order: string, priced: Priced): Promise<void> {
  await tx.rows(
    sql`insert into ordering.promise ("order", priced) values (${order}, ${JSON.stringify(pricedJson(priced))}::jsonb)`,
  )
}

export async function selectPromise(db: Queryable, order: string): Promise<Priced | undefined> {
  const [row] = await db.rows<{ priced: unknown }>(sql`select priced from ordering.promise where "order" = ${order}`)
  return row && pricedFrom(PricedJson.parse(row.priced))
}

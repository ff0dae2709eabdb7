import { supplierCosts } from '#charging'
import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable } from '#platform/postgres'

/** Settlements by id, a page at a time. */
export async function runIdsAfter(db: Queryable, { id, limit }: { id: string; limit: number }): Promise<string[]> {
  const rows = await db.rows<{ id: string }>(
    sql`select id from settlement.run where id > ${id} and posting_id is not null order by id limit ${limit}`,
  )
  return rows.map((row) => row.id)
}

/** Statements whose lines are not what they say they sum to. */
export async function wrongStatements(db: Queryable): Promise<{ id: string }[]> {
  return db.rows(sql`
    select s.id from settlement.statement s
      left join (select statement, count(*) as lines, sum(net) as net, sum(tax) as tax from settlement.statement_line group by 1) l
        on l.statement = s.id
     where s.lines <> coalesce(l.lines, 0) or s.net <> coalesce(l.net, 0) or coalesce(s.tax, 0) <> coalesce(l.tax, 0)
     order by s.id limit 100
  `)
}

export async function countStatements(db: Queryable): Promise<number> {
  const [row] = await db.rows<{ count: bigint }>(sql`select count(*) as count from settlement.statement`)
  return Number(row?.count ?? 0)
}

/** What settlements took out of each supplier's accrual, by what they say they settle. */
export async function settledBySupplier(db: Queryable): Promise<Map<string, bigint>> {
  const rows = await db.rows<{ supplier: string; amount: string }>(sql`
    select u.supplier, sum(u.amount) as amount
      from settlement.usage u
      join settlement.run r on r.statement = u.statement and r.version = 1 and r.posting_id is not null
     group by 1
  `)
  return new Map(rows.map(({ supplier, amount }) => [supplier, integerFromNumeric(amount)]))
}

export async function settledPeriods(
  db: Queryable,
): Promise<{ statement: string; supplier: string; period: string }[]> {
  return db.rows(sql`
    select statement, supplier, period from settlement.run where version = 1 and posting_id is not null order by supplier, period
  `)
}

/** Requests that a statement settles for something else than they cost. */
export async function wrongClaims(
  db: Queryable,
  { statement, supplier, fromMs, toMs }: { statement: string; supplier: string; fromMs: number; toMs: number },
): Promise<{ record: string }[]> {
  return db.rows(sql`
    select u.record from settlement.usage u
      left join (${supplierCosts({ supplier, fromMs, toMs })}) cost on cost.record = u.record
     where u.statement = ${statement} and u.completed_at_ms >= ${fromMs}::bigint and u.completed_at_ms < ${toMs}::bigint
       and (cost.record is null or cost.amount <> u.amount)
     order by 1 limit 100
  `)
}

import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable } from '#platform/postgres'
import type { TaxedCell } from '../rollup/model.ts'

type Day = Omit<TaxedCell, 'postingId'>

/** The roll-up's rows in a fixed order, a page at a time. */
export async function countDays(db: Queryable): Promise<number> {
  const [row] = await db.rows<{ count: bigint }>(sql`select count(*) as count from billing.usage_day`)
  return Number(row?.count)
}

/** Which of these cells the roll-up has otherwise, or which it has beside them. */
export async function wrongDays(
  db: Queryable,
  cells: readonly Day[],
): Promise<{ cell: string; stored: string | null; summed: string | null }[]> {
  const column = <Name extends keyof Day>(name: Name): Day[Name][] => cells.map((cell) => cell[name])
  return db.rows(sql`
    with summed as (
      select * from unnest(${column('payer')}::text[], ${column('day')}::text[], ${column('tenant')}::text[], ${column('service')}::text[],
        ${column('sheet')}::text[], ${column('taxPercent')}::integer[], ${column('requests')}::bigint[], ${column('tokens')}::numeric[],
        ${column('sellPico')}::numeric[], ${column('giftPico')}::numeric[], ${column('creditPico')}::numeric[], ${column('taxPico')}::numeric[],
        ${column('buyPico')}::numeric[])
        as s (payer, day, tenant, service, sheet, tax_percent, requests, tokens, sell, gift, credit, tax, buy)
    )
    select payer || ' ' || day || ' ' || service as cell, (d.requests, d.tokens, d.sell, d.gift, d.credit, d.tax, d.buy)::text as stored,
      (s.requests, s.tokens, s.sell, s.gift, s.credit, s.tax, s.buy)::text as summed
      from billing.usage_day d full join summed s using (payer, day, tenant, service, sheet, tax_percent)
     where (d.requests, d.tokens, d.sell, d.gift, d.credit, d.tax, d.buy) is distinct from
           (s.requests, s.tokens, s.sell, s.gift, s.credit, s.tax, s.buy)
     limit 100
  `)
}

export async function countCharges(db: Queryable): Promise<number> {
  const [row] = await db.rows<{ count: bigint }>(sql`select count(*) as count from billing.charge`)
  return Number(row?.count)
}

/** Charges of usage that are not the sum of their days. */
export async function wrongCharges(db: Queryable): Promise<{ charge: string }[]> {
  return db.rows(sql`
    select coalesce(c.id, d.payer || ' ' || d.period || ' ' || d.service) as charge
      from (select * from billing.charge where kind = 'usage') c
      full join (
        select payer, left(day, 7) as period, service, sheet, tax_percent, sum(sell - gift) as gross, sum(credit) as credit, sum(tax) as tax,
          sum(requests) as requests, sum(tokens) as tokens
          from billing.usage_day group by 1, 2, 3, 4, 5) d
        on (c.tenant, c.period, c.service, c.sheet, c.tax_percent) = (d.payer, d.period, d.service, d.sheet, d.tax_percent)
     where (c.gross, c.credit, c.tax, c.requests, c.tokens) is distinct from (d.gross, d.credit, d.tax, d.requests, d.tokens) limit 100
  `)
}

export async function documentIdsAfter(db: Queryable, page: { id: string; limit: number }): Promise<string[]> {
  const rows = await db.rows<{ id: string }>(
    sql`select id from billing.document where id > ${page.id} order by id limit ${page.limit}`,
  )
  return rows.map((row) => row.id)
}

/** Charges whose lines do not say the rounded sum that the last of them ends at, or that were billed twice. */
export async function brokenChains(db: Queryable): Promise<{ charge: string }[]> {
  return db.rows(sql`
    select charge from (
      select charge, count(*) as lines, max(revision) as last, sum(gross_fen) as gross, sum(due_fen) as due,
        (array_agg(to_gross order by revision desc))[1] as to_gross, (array_agg(to_credit order by revision desc))[1] as to_credit
        from billing.line where charge is not null group by charge) c
     where lines <> last or gross <> round(to_gross / 10000000000) or due <> round(to_credit / 10000000000) limit 100
  `)
}

/** Series with a gap: as many numbers as the last one says, from 1 on. */
export async function gaps(db: Queryable): Promise<{ series: string; year: number; last: bigint; found: bigint }[]> {
  return db.rows(sql`
    select coalesce(s.series, d.series) as series, coalesce(s.year, d.year) as year, coalesce(s.last, 0) as last, coalesce(d.found, 0) as found
      from billing.series s
      full join (select series, year, count(distinct sequence) as found, max(sequence) as top from billing.document where number is not null group by 1, 2) d
        using (series, year)
     where s.last is distinct from d.found or s.last is distinct from d.top
  `)
}

/** Documents that are covered by more or less than what payments and credit notes say. */
export async function wronglyCovered(db: Queryable): Promise<{ id: string; covered: bigint; allocated: string }[]> {
  return db.rows(sql`
    select d.id, d.covered_fen as covered, a.fen as allocated from billing.document d
      cross join lateral (
        select coalesce(sum(fen), 0) as fen from billing.allocation a
         where case when d.kind = 'credit_note' then a.source = 'credit:' || d.id else a.document = d.id end) a
     where a.fen <> d.covered_fen limit 100
  `)
}

/** What each tenant owes by its documents: due, less what payments have covered. Credit notes are below zero. */
export async function owedByDocuments(db: Queryable): Promise<ReadonlyMap<string, bigint>> {
  const rows = await db.rows<{ tenant: string; fen: string }>(sql`
    select d.tenant, sum(d.due_fen) - coalesce((
        select sum(a.fen) from billing.allocation a join billing.document p on p.id = a.document
         where p.tenant = d.tenant and starts_with(a.source, 'payment:')), 0) as fen
      from billing.document d where d.number is not null group by d.tenant
  `)
  return new Map(rows.map((row) => [row.tenant, integerFromNumeric(row.fen)]))
}

/** Credit and tax of each tenant's charges that no line bills yet. */
export async function unbilled(db: Queryable): Promise<{ tenant: string; creditPico: bigint; taxPico: bigint }[]> {
  const rows = await db.rows<{ tenant: string; credit: string; tax: string }>(sql`
    select c.tenant, sum(c.credit - coalesce(l.to_credit, 0)) as credit, sum(c.tax - coalesce(l.to_tax, 0)) as tax
      from billing.charge c
      left join lateral (select to_credit, to_tax from billing.line l where l.charge = c.id order by revision desc limit 1) l on true
     group by c.tenant order by c.tenant
  `)
  return rows.map((row) => ({
    tenant: row.tenant,
    creditPico: integerFromNumeric(row.credit),
    taxPico: integerFromNumeric(row.tax),
  }))
}

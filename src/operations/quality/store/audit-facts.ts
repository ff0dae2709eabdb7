import { sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'
import type { StreamKey } from './audit-streams.ts'

export interface FactRow extends StreamKey {
  readonly epoch: number
  readonly number: number
  readonly request: string
  readonly completedAtMs: number
  readonly reported: number
  readonly counted: number
}

export async function insertFacts(tx: Transaction, facts: readonly FactRow[]): Promise<void> {
  if (facts.length === 0) return
  const column = <Name extends keyof FactRow>(name: Name): FactRow[Name][] => facts.map((fact) => fact[name])
  await tx.rows(sql`
    insert into quality.audit_fact (supplier, model, side, epoch, number, request, completed_at_ms, reported, counted)
    select * from unnest(${column('supplier')}::text[], ${column('model')}::text[], ${column('side')}::text[],
      ${column('epoch')}::integer[], ${column('number')}::bigint[], ${column('request')}::text[], ${column('completedAtMs')}::bigint[],
      ${column('reported')}::bigint[], ${column('counted')}::bigint[])
  `)
}

/** Facts of an epoch in the order in which the tests saw them, a page at a time. */
export async function factPage(
  db: Queryable,
  { supplier, model, side, epoch, after, limit }: StreamKey & { epoch: number; after: number; limit: number },
): Promise<FactRow[]> {
  const rows = await db.rows<{
    number: bigint
    request: string
    completed_at_ms: bigint
    reported: bigint
    counted: bigint
  }>(sql`
    select number, request, completed_at_ms, reported, counted from quality.audit_fact
     where supplier = ${supplier} and model = ${model} and side = ${side} and epoch = ${epoch}::integer and number > ${after}::bigint
     order by number limit ${limit}::bigint
  `)
  return rows.map((row) => ({
    supplier,
    model,
    side,
    epoch,
    number: Number(row.number),
    request: row.request,
    completedAtMs: Number(row.completed_at_ms),
    reported: Number(row.reported),
    counted: Number(row.counted),
  }))
}

/** What was claimed and what is payable of it by our counts, of requests completed from `fromMs` (inclusive) to `toMs` (exclusive). */
export async function sumFacts(
  db: Queryable,
  query: StreamKey & { epoch: number; fromMs: number; toMs: number; slackTokens: number; slackPpm: number },
): Promise<{ requests: number; reported: number; payable: number }> {
  const { supplier, model, side, epoch, fromMs, toMs, slackTokens, slackPpm } = query
  const [row] = await db.rows<{ requests: bigint; reported: string; payable: string }>(sql`
    select count(*) as requests, coalesce(sum(reported), 0) as reported,
      coalesce(sum(least(reported, counted + greatest(${slackTokens}::bigint, counted * ${slackPpm}::bigint / 1000000))), 0) as payable
      from quality.audit_fact
     where supplier = ${supplier} and model = ${model} and side = ${side} and epoch = ${epoch}::integer
       and completed_at_ms >= ${fromMs}::bigint and completed_at_ms < ${toMs}::bigint
  `)
  return {
    requests: Number(row?.requests ?? 0),
    reported: Number(row?.reported ?? 0),
    payable: Number(row?.payable ?? 0),
  }
}

/** When the first and the last request of an epoch were completed; undefined of nothing. */
export async function factSpan(
  db: Queryable,
  { supplier, model, side, epoch }: StreamKey & { epoch: number },
): Promise<{ fromMs: number; toMs: number } | undefined> {
  const [row] = await db.rows<{ from_ms: bigint | null; to_ms: bigint | null }>(sql`
    select min(completed_at_ms) as from_ms, max(completed_at_ms) + 1 as to_ms from quality.audit_fact
     where supplier = ${supplier} and model = ${model} and side = ${side} and epoch = ${epoch}::integer
  `)
  if (!row || row.from_ms === null || row.to_ms === null) return undefined
  return { fromMs: Number(row.from_ms), toMs: Number(row.to_ms) }
}

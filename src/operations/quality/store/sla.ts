import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'
import type { Leg } from '../sli/model/observation.ts'
import type { CreditState, SlaCredit } from '../sli/model/report.ts'

/** A report as it is kept: its lines are JSON with amounts as decimal strings. */
export interface ReportRow {
  readonly leg: Leg
  readonly party: string
  readonly period: string
  readonly version: number
  readonly lines: unknown
  readonly hash: string
  readonly computedAtMs: number
  readonly computedBy: string
}

export async function insertReport(tx: Transaction, row: ReportRow): Promise<void> {
  await tx.rows(sql`
    insert into quality.sla_report (leg, party, period, version, lines, hash, computed_at_ms, computed_by)
    values (${row.leg}, ${row.party}, ${row.period}, ${row.version}::integer, ${JSON.stringify(row.lines)}::jsonb, ${row.hash},
      ${row.computedAtMs}::bigint, ${row.computedBy})
  `)
}

/** The newest version of each party's report of a period. */
export async function readReports(
  db: Queryable,
  query: { period: string; leg?: Leg; party?: string },
): Promise<ReportRow[]> {
  const { period, leg, party } = query
  const rows = await db.rows<
    Omit<ReportRow, 'computedAtMs' | 'computedBy'> & { computed_at_ms: bigint; computed_by: string }
  >(sql`
    select distinct on (leg, party) leg, party, period, version, lines, hash, computed_at_ms, computed_by from quality.sla_report
     where period = ${period} and ${leg === undefined ? sql`true` : sql`leg = ${leg}`}
       and ${party === undefined ? sql`true` : sql`party = ${party}`}
     order by leg, party, version desc
  `)
  return rows.map(({ computed_at_ms: at, computed_by: by, ...row }) => ({
    ...row,
    computedAtMs: Number(at),
    computedBy: by,
  }))
}

interface RawCredit {
  id: string
  leg: Leg
  party: string
  period: string
  service: string
  tier: string
  version: number
  ppm: number
  net: string
  tax: string
  state: CreditState
  proposed_by: string
}

const toCredit = (row: RawCredit): SlaCredit => ({
  id: row.id,
  leg: row.leg,
  party: row.party,
  period: row.period,
  service: row.service,
  tier: row.tier,
  version: row.version,
  ppm: row.ppm,
  netPico: integerFromNumeric(row.net),
  taxPico: integerFromNumeric(row.tax),
  state: row.state,
  proposedBy: row.proposed_by,
})

/** Proposes a credit, or proposes it anew while nobody has decided about it. */
export async function proposeCredit(tx: Transaction, one: SlaCredit): Promise<void> {
  await tx.rows(sql`
    insert into quality.sla_credit as old (id, leg, party, period, service, tier, version, ppm, net, tax, state, proposed_by)
    values (${one.id}, ${one.leg}, ${one.party}, ${one.period}, ${one.service}, ${one.tier}, ${one.version}::integer, ${one.ppm}::integer,
      ${one.netPico}::numeric, ${one.taxPico}::numeric, 'computed', ${one.proposedBy})
    on conflict (id) do update set version = excluded.version, ppm = excluded.ppm, net = excluded.net, tax = excluded.tax,
      proposed_by = excluded.proposed_by
     where old.state = 'computed'
  `)
}

/** Credits of a report that a newer version no longer has, and that nobody has decided about. */
export async function dropCredits(
  tx: Transaction,
  report: { leg: Leg; party: string; period: string; keep: readonly string[] },
) {
  await tx.rows(sql`
    delete from quality.sla_credit
     where leg = ${report.leg} and party = ${report.party} and period = ${report.period} and state = 'computed'
       and not (id = any(${report.keep}::text[]))
  `)
}

export async function lockCredit(tx: Transaction, id: string): Promise<SlaCredit | undefined> {
  const [row] = await tx.rows<RawCredit>(sql`select * from quality.sla_credit where id = ${id} for update`)
  return row && toCredit(row)
}

export async function saveCreditState(tx: Transaction, id: string, state: CreditState): Promise<void> {
  await tx.rows(sql`update quality.sla_credit set state = ${state} where id = ${id}`)
}

export interface CreditQuery {
  readonly id?: string
  readonly leg?: Leg
  readonly party?: string
  readonly period?: string
  readonly service?: string
  readonly tier?: string
  readonly state?: CreditState
}

export async function readCredits(db: Queryable, query: CreditQuery): Promise<SlaCredit[]> {
  const only = (name: ReturnType<typeof sql>, value: string | undefined) =>
    value === undefined ? sql`true` : sql`${name} = ${value}`
  const rows = await db.rows<RawCredit>(sql`
    select * from quality.sla_credit
     where ${only(sql`id`, query.id)} and ${only(sql`leg`, query.leg)} and ${only(sql`party`, query.party)}
       and ${only(sql`period`, query.period)} and ${only(sql`service`, query.service)} and ${only(sql`tier`, query.tier)}
       and ${only(sql`state`, query.state)}
     order by period desc, leg, party, service, tier limit 2000
  `)
  return rows.map(toCredit)
}

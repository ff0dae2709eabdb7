import { sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'
import type { AuditSettings, AuditState, Side } from '../audit/model/stream.ts'

export interface StreamKey {
  readonly supplier: string
  readonly model: string
  readonly side: Side
}

export interface StreamRow extends StreamKey, AuditState {
  readonly epoch: number
  readonly settings: AuditSettings
}

interface RawStream {
  supplier: string
  model: string
  side: Side
  epoch: number
  seen: bigint
  mean_wealth: number[]
  excess_wealth: number[]
  excesses: bigint
  reported_tokens: bigint
  counted_tokens: bigint
  settings: AuditSettings
}

const toStream = (row: RawStream): StreamRow => ({
  supplier: row.supplier,
  model: row.model,
  side: row.side,
  epoch: row.epoch,
  seen: Number(row.seen),
  meanWealth: row.mean_wealth,
  excessWealth: row.excess_wealth,
  excesses: Number(row.excesses),
  reportedTokens: Number(row.reported_tokens),
  countedTokens: Number(row.counted_tokens),
  settings: row.settings,
})

/** The mark is held by whoever calls this, so nobody else changes a stream but an operator who decides: hence the lock. */
export async function lockStreams(tx: Transaction, suppliers: readonly string[]): Promise<StreamRow[]> {
  const rows = await tx.rows<RawStream>(sql`
    select * from quality.audit_stream where supplier = any(${suppliers}::text[]) order by supplier, model, side for update
  `)
  return rows.map(toStream)
}

/** All, or of one supplier. */
export async function readStreams(db: Queryable, supplier?: string): Promise<StreamRow[]> {
  const only = supplier === undefined ? sql`true` : sql`supplier = ${supplier}`
  const rows = await db.rows<RawStream>(sql`
    select * from quality.audit_stream where ${only} order by supplier, model, side
  `)
  return rows.map(toStream)
}

export async function saveStream(tx: Transaction, stream: StreamRow): Promise<void> {
  await tx.rows(sql`
    insert into quality.audit_stream as old (supplier, model, side, epoch, seen, mean_wealth, excess_wealth, excesses, reported_tokens,
      counted_tokens, settings)
    values (${stream.supplier}, ${stream.model}, ${stream.side}, ${stream.epoch}::integer, ${stream.seen}::bigint,
      ${stream.meanWealth}::double precision[], ${stream.excessWealth}::double precision[], ${stream.excesses}::bigint,
      ${stream.reportedTokens}::bigint, ${stream.countedTokens}::bigint, ${JSON.stringify(stream.settings)}::jsonb)
    on conflict (supplier, model, side) do update set epoch = excluded.epoch, seen = excluded.seen, mean_wealth = excluded.mean_wealth,
      excess_wealth = excluded.excess_wealth, excesses = excluded.excesses, reported_tokens = excluded.reported_tokens,
      counted_tokens = excluded.counted_tokens, settings = excluded.settings
  `)
}

interface RawSetting {
  supplier: string
  model: string
  side: Side
  tau_ppm: number
  fixed_tokens: number
  excess_ppm: number
  slack_tokens: number
  slack_ppm: number
}

/** What operators decided last, for the models of some suppliers. */
export async function readSettings(
  db: Queryable,
  suppliers: readonly string[],
): Promise<(StreamKey & { settings: AuditSettings })[]> {
  const rows = await db.rows<RawSetting>(sql`
    select distinct on (supplier, model, side) supplier, model, side, tau_ppm, fixed_tokens, excess_ppm, slack_tokens, slack_ppm
      from quality.audit_setting where supplier = any(${suppliers}::text[])
     order by supplier, model, side, seq desc
  `)
  return rows.map(({ supplier, model, side, ...row }) => ({
    supplier,
    model,
    side,
    settings: {
      tauPpm: row.tau_ppm,
      fixedTokens: row.fixed_tokens,
      excessPpm: row.excess_ppm,
      slack: { tokens: row.slack_tokens, ppm: row.slack_ppm },
    },
  }))
}

export async function addSetting(tx: Transaction, key: StreamKey, settings: AuditSettings): Promise<void> {
  const { tauPpm, fixedTokens, excessPpm, slack } = settings
  await tx.rows(sql`
    insert into quality.audit_setting (supplier, model, side, tau_ppm, fixed_tokens, excess_ppm, slack_tokens, slack_ppm)
    values (${key.supplier}, ${key.model}, ${key.side}, ${tauPpm}::integer, ${fixedTokens}::integer, ${excessPpm}::integer,
      ${slack.tokens}::integer, ${slack.ppm}::integer)
  `)
}

import { sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'

/** What is kept aside: the record's id as claimed, and its text, which may be anything. */
export interface Aside {
  readonly id: string
  /** SHA-256 of the text, 64 hex digits: names the row, because two contents may claim the same id. */
  readonly contentHash: string
  readonly reason: string
  readonly text: string
}

export interface QuarantinedRow extends Aside {
  readonly gateway: string
  readonly receivedAtMs: number
  readonly state: 'open' | 'accepted' | 'dismissed'
  readonly decidedBy: string | null
  readonly decidedAtMs: number | null
  readonly decidedReason: string | null
}

interface Raw {
  id: string
  content_hash: string
  gateway: string
  reason: string
  record: string
  received_at_ms: bigint
  state: QuarantinedRow['state']
  decided_by: string | null
  decided_at_ms: bigint | null
  decided_reason: string | null
}

const columns = sql`id, encode(content_hash, 'hex') as content_hash, gateway, reason, record, received_at_ms, state, decided_by,
  decided_at_ms, decided_reason`

function toRow(row: Raw): QuarantinedRow {
  return {
    id: row.id,
    contentHash: row.content_hash,
    gateway: row.gateway,
    reason: row.reason,
    text: row.record,
    receivedAtMs: Number(row.received_at_ms),
    state: row.state,
    decidedBy: row.decided_by,
    decidedAtMs: row.decided_at_ms === null ? null : Number(row.decided_at_ms),
    decidedReason: row.decided_reason,
  }
}

/** What comes again for another reason is told with that. What an operator has ended stays as it is. */
export async function insertQuarantined(
  tx: Transaction,
  gateway: string,
  rows: readonly Aside[],
  nowMs: number,
): Promise<void> {
  await tx.rows(sql`
    insert into charging.usage_quarantine as q (id, content_hash, gateway, reason, record, received_at_ms)
    select distinct on (id, content_hash) id, decode(content_hash, 'hex'), ${gateway}, reason, record, ${nowMs}::bigint
      from unnest(${rows.map((row) => row.id)}::text[], ${rows.map((row) => row.contentHash)}::text[], ${rows.map((row) => row.reason)}::text[],
        ${rows.map((row) => row.text)}::text[]) as fresh (id, content_hash, reason, record)
     order by id, content_hash
    on conflict (id, content_hash) do update set reason = excluded.reason where q.state = 'open' and q.reason <> excluded.reason
  `)
}

/**
 * Content hashes of those records with these ids that an operator has dismissed, and which ids wait for one. Locks what is in
 * quarantine under the ids, so that a record is not dismissed while it is being posted.
 */
export async function lockQuarantined(
  tx: Transaction,
  ids: readonly string[],
): Promise<{ dismissed: ReadonlySet<string>; waiting: ReadonlySet<string> }> {
  const rows = await tx.rows<{ id: string; content_hash: string; state: string }>(sql`
    select id, encode(content_hash, 'hex') as content_hash, state from charging.usage_quarantine
     where id = any(${ids}::text[]) order by id, usage_quarantine.content_hash for update
  `)
  return {
    dismissed: new Set(rows.filter((row) => row.state === 'dismissed').map((row) => row.content_hash)),
    waiting: new Set(rows.filter((row) => row.state === 'open').map((row) => row.id)),
  }
}

/** A record that is posted now, after it had been kept aside, needs no operator any more. */
export async function acceptQuarantined(
  tx: Transaction,
  arrivals: readonly { readonly id: string; readonly contentHash: string }[],
): Promise<void> {
  if (arrivals.length === 0) return
  await tx.rows(sql`
    update charging.usage_quarantine q set state = 'accepted'
      from unnest(${arrivals.map((arrival) => arrival.id)}::text[], ${arrivals.map((arrival) => arrival.contentHash)}::text[]) as a (id, content_hash)
     where q.state = 'open' and q.id = a.id and q.content_hash = decode(a.content_hash, 'hex')
  `)
}

export async function openQuarantine(db: Queryable, limit: number): Promise<QuarantinedRow[]> {
  return (
    await db.rows<Raw>(sql`
      select ${columns} from charging.usage_quarantine where state = 'open' order by received_at_ms, id limit ${limit}
    `)
  ).map(toRow)
}

/** By the beginning of the content's hash; undefined unless exactly one begins so. */
export async function findQuarantined(db: Queryable, beginning: string): Promise<QuarantinedRow | undefined> {
  if (!/^[0-9a-f]{8,64}$/.test(beginning)) return undefined
  const rows = await db.rows<Raw>(sql`
    select ${columns} from charging.usage_quarantine where starts_with(encode(content_hash, 'hex'), ${beginning}) limit 2
  `)
  return rows.length === 1 && rows[0] ? toRow(rows[0]) : undefined
}

/** False if it is not open any more. */
export async function dismissQuarantined(
  db: Queryable,
  decision: { contentHash: string; by: string; reason: string; nowMs: number },
): Promise<boolean> {
  const rows = await db.rows(sql`
    update charging.usage_quarantine
       set state = 'dismissed', decided_by = ${decision.by}, decided_reason = ${decision.reason}, decided_at_ms = ${decision.nowMs}::bigint
     where content_hash = decode(${decision.contentHash}, 'hex') and state = 'open' returning 1
  `)
  return rows.length > 0
}

/** The record is posted, because an operator tried again. */
export async function noteRetried(
  db: Queryable,
  decision: { contentHash: string; by: string; nowMs: number },
): Promise<void> {
  await db.rows(sql`
    update charging.usage_quarantine
       set state = 'accepted', decided_by = ${decision.by}, decided_at_ms = ${decision.nowMs}::bigint
     where content_hash = decode(${decision.contentHash}, 'hex') and state <> 'dismissed' and decided_by is null
  `)
}

export async function countQuarantine(db: Queryable): Promise<{ open: number; all: number }> {
  const [row] = await db.rows<{ open: bigint; all: bigint }>(sql`
    select count(*) filter (where state = 'open') as open, count(*) as all from charging.usage_quarantine
  `)
  return { open: Number(row?.open), all: Number(row?.all) }
}

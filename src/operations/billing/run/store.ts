import { sql } from '#platform/postgres'
import type { Queryable, Statement, Transaction } from '#platform/postgres'
import type { DocumentKind } from '../model/number.ts'
import type { DocumentState, DunningStage } from '../model/states.ts'
import type { Document, Party } from './model.ts'

/** The lock that orders everything about one tenant's documents. */
export async function lockAccount(tx: Transaction, tenant: string): Promise<void> {
  await tx.rows(sql`insert into billing.account (tenant) values (${tenant}) on conflict do nothing`)
  await tx.rows(sql`select tenant from billing.account where tenant = ${tenant} for update`)
}

/** Holds the roll-up where it is until the transaction ends. */
export async function holdProgress(tx: Transaction): Promise<number> {
  const [row] = await tx.rows<{ seq: bigint }>(sql`select seq from billing.progress for share`)
  return Number(row?.seq ?? 0)
}

export async function insertDocument(tx: Transaction, document: Document): Promise<void> {
  await tx.rows(sql`
    insert into billing.document (id, kind, tenant, period, corrects, reason, state, gross_fen, net_fen, tax_fen, due_fen, seller, buyer, created_at_ms)
    values (${document.id}, ${document.kind}, ${document.tenant}, ${document.period}, ${document.corrects}, ${document.reason}, ${document.state},
      ${document.grossFen}::bigint, ${document.netFen}::bigint, ${document.taxFen}::bigint, ${document.dueFen}::bigint,
      ${JSON.stringify(document.seller)}::jsonb, ${JSON.stringify(document.buyer)}::jsonb, ${document.createdAtMs}::bigint)
  `)
}

/** The next number of a series. Its row stays locked until the caller's transaction ends, so a failure leaves no gap. */
export async function nextSequence(tx: Transaction, series: string, year: number): Promise<number> {
  const [row] = await tx.rows<{ last: bigint }>(sql`
    insert into billing.series as old (series, year, last) values (${series}, ${year}::integer, 1)
    on conflict (series, year) do update set last = old.last + 1 returning last
  `)
  return Number(row?.last)
}

export async function numberDocument(
  tx: Transaction,
  issued: {
    id: string
    state: DocumentState
    series: string
    year: number
    sequence: number
    number: string
    issuedAtMs: number
    dueAtMs: number
    postingId: string | null
  },
): Promise<void> {
  await tx.rows(sql`
    update billing.document set state = ${issued.state}, series = ${issued.series}, year = ${issued.year}::integer,
      sequence = ${issued.sequence}::bigint, number = ${issued.number}, issued_at_ms = ${issued.issuedAtMs}::bigint,
      due_at_ms = ${issued.dueAtMs}::bigint, posting_id = ${issued.postingId} where id = ${issued.id}
  `)
}

export async function setState(tx: Transaction, id: string, state: DocumentState): Promise<void> {
  await tx.rows(sql`update billing.document set state = ${state} where id = ${id}`)
}

export async function setCovered(
  tx: Transaction,
  id: string,
  covered: { fen: bigint; state: DocumentState },
): Promise<void> {
  await tx.rows(
    sql`update billing.document set covered_fen = ${covered.fen}::bigint, state = ${covered.state} where id = ${id}`,
  )
}

export async function insertEvent(
  tx: Transaction,
  event: { document: string; atMs: number; what: string; by: string; note: string | null },
): Promise<void> {
  await tx.rows(sql`
    insert into billing.event (document, at_ms, what, by, note) values (${event.document}, ${event.atMs}::bigint, ${event.what}, ${event.by}, ${event.note})
  `)
}

export async function insertAllocations(
  tx: Transaction,
  source: string,
  parts: readonly { readonly document: string; readonly fen: bigint }[],
  atMs: number,
): Promise<void> {
  if (parts.length === 0) return
  await tx.rows(sql`
    insert into billing.allocation (source, document, fen, at_ms)
    select ${source}, document, fen, ${atMs}::bigint
      from unnest(${parts.map((part) => part.document)}::text[], ${parts.map((part) => part.fen)}::bigint[]) as part (document, fen)
  `)
}

interface DocumentRow {
  id: string
  kind: DocumentKind
  tenant: string
  period: string
  corrects: string | null
  reason: string | null
  state: DocumentState
  number: string | null
  gross_fen: bigint
  net_fen: bigint
  tax_fen: bigint
  due_fen: bigint
  covered_fen: bigint
  seller: Party
  buyer: Party
  posting_id: string | null
  created_at_ms: bigint
  issued_at_ms: bigint | null
  due_at_ms: bigint | null
  dunning: DunningStage
}

const documentColumns = sql`id, kind, tenant, period, corrects, reason, state, number, gross_fen, net_fen, tax_fen, due_fen, covered_fen, seller, buyer,
  posting_id, created_at_ms, issued_at_ms, due_at_ms, dunning`

function toDocument(row: DocumentRow): Document {
  return {
    id: row.id,
    kind: row.kind,
    tenant: row.tenant,
    period: row.period,
    corrects: row.corrects,
    reason: row.reason,
    state: row.state,
    number: row.number,
    grossFen: row.gross_fen,
    netFen: row.net_fen,
    taxFen: row.tax_fen,
    dueFen: row.due_fen,
    coveredFen: row.covered_fen,
    seller: row.seller,
    buyer: row.buyer,
    postingId: row.posting_id,
    createdAtMs: Number(row.created_at_ms),
    issuedAtMs: row.issued_at_ms === null ? null : Number(row.issued_at_ms),
    dueAtMs: row.due_at_ms === null ? null : Number(row.due_at_ms),
    dunning: row.dunning,
  }
}

async function documentsWhere(db: Queryable, condition: Statement): Promise<Document[]> {
  return (await db.rows<DocumentRow>(sql`select ${documentColumns} from billing.document where ${condition}`)).map(
    toDocument,
  )
}

/** By id or by number. */
export async function findDocument(db: Queryable, id: string): Promise<Document | undefined> {
  const [found] = await documentsWhere(db, sql`id = ${id} or number = ${id}`)
  return found
}

export async function documentOfPeriod(db: Queryable, tenant: string, period: string): Promise<Document | undefined> {
  const [found] = await documentsWhere(db, sql`tenant = ${tenant} and period = ${period} and kind <> 'credit_note'`)
  return found
}

export interface DocumentQuery {
  readonly tenant?: string
  readonly period?: string
  readonly state?: DocumentState
  readonly kind?: DocumentKind
  readonly limit: number
  /** Id of the last document of the page before. */
  readonly before?: string
}

/** Newest first. */
export async function listDocuments(db: Queryable, query: DocumentQuery): Promise<Document[]> {
  const { tenant, period, state, kind, before } = query
  return documentsWhere(
    db,
    sql`${tenant === undefined ? sql`true` : sql`tenant = ${tenant}`} and ${period === undefined ? sql`true` : sql`period = ${period}`}
      and ${state === undefined ? sql`true` : sql`state = ${state}`} and ${kind === undefined ? sql`true` : sql`kind = ${kind}`}
      and ${
        before === undefined
          ? sql`true`
          : sql`(created_at_ms, id) < (select b.created_at_ms, b.id from billing.document b where b.id = ${before})`
      }
      order by created_at_ms desc, id desc limit ${query.limit}`,
  )
}

export interface DocumentSearch {
  readonly ids?: readonly string[]
  readonly tenants?: readonly string[]
  readonly states?: readonly string[]
  readonly offset: number
  readonly limit: number
}

/** Oldest first, and how many there are in all. */
export async function documentPage(
  db: Queryable,
  { ids, tenants, states, offset, limit }: DocumentSearch,
): Promise<{ readonly documents: Document[]; readonly total: number }> {
  const where = sql`${ids ? sql`id = any(${ids}::text[])` : sql`true`} and ${tenants ? sql`tenant = any(${tenants}::text[])` : sql`true`}
    and ${states ? sql`state = any(${states}::text[])` : sql`true`}`
  const [row] = await db.rows<{ total: bigint }>(sql`select count(*) as total from billing.document where ${where}`)
  const documents = await documentsWhere(db, sql`${where} order by created_at_ms, id offset ${offset} limit ${limit}`)
  return { documents, total: Number(row?.total ?? 0) }
}

/** Issued and not settled, what is due first; credit notes with something left on them beside. */
export async function openDocuments(db: Queryable, tenant: string): Promise<Document[]> {
  return documentsWhere(
    db,
    sql`tenant = ${tenant} and number is not null and covered_fen < abs(due_fen) order by due_at_ms, number`,
  )
}

export async function eventsOf(
  db: Queryable,
  document: string,
): Promise<{ atMs: number; what: string; by: string; note: string | null }[]> {
  const rows = await db.rows<{ at_ms: bigint; what: string; by: string; note: string | null }>(
    sql`select at_ms, what, by, note from billing.event where document = ${document} order by seq`,
  )
  return rows.map((row) => ({ atMs: Number(row.at_ms), what: row.what, by: row.by, note: row.note }))
}

export async function allocationsOn(
  db: Queryable,
  document: string,
): Promise<{ source: string; fen: bigint; atMs: number }[]> {
  const rows = await db.rows<{ source: string; fen: bigint; at_ms: bigint }>(
    sql`select source, fen, at_ms from billing.allocation where document = ${document} order by at_ms, source`,
  )
  return rows.map((row) => ({ source: row.source, fen: row.fen, atMs: Number(row.at_ms) }))
}

export async function readProfile(db: Queryable, party: string): Promise<Partial<Party> | undefined> {
  const [row] = await db.rows<{ details: Partial<Party> }>(
    sql`select details from billing.profile where party = ${party}`,
  )
  return row?.details
}

export async function writeProfile(
  tx: Queryable,
  profile: { party: string; details: Party; atMs: number; by: string },
): Promise<void> {
  await tx.rows(sql`
    insert into billing.profile (party, details, updated_at_ms, updated_by)
    values (${profile.party}, ${JSON.stringify(profile.details)}::jsonb, ${profile.atMs}::bigint, ${profile.by})
    on conflict (party) do update set details = excluded.details, updated_at_ms = excluded.updated_at_ms, updated_by = excluded.updated_by
  `)
}

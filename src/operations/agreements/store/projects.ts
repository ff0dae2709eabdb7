import { AgreementTerms } from '#contract'
import type { BidView, PackageState, PackageView, ProjectState, TenderFile, TenderSupplier } from '#contract'
import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'

export interface ProjectRow {
  readonly id: string
  readonly state: ProjectState
  readonly content: TenderFile
  readonly estimatePico: bigint
}

export interface PackageRow {
  readonly id: string
  readonly project: string
  readonly number: number
  readonly name: string
  readonly state: PackageState
  readonly ceilingPico: bigint
  readonly terms: AgreementTerms
  readonly objectionsUntilMs: number | null
  readonly awardProposedBy: string | null
}

export type SupplierRow = TenderSupplier

export async function putSupplier(tx: Transaction, supplier: SupplierRow, by: string, atMs: number): Promise<void> {
  const { id, nameZh, nameEn, uscc, type } = supplier
  await tx.rows(sql`
    insert into agreements.supplier (id, name_zh, name_en, uscc, type, by, at_ms)
    values (${id}, ${nameZh}, ${nameEn}, ${uscc}, ${type}, ${by}, ${atMs}::bigint)
        on conflict (id) do update
       set name_zh = excluded.name_zh, name_en = excluded.name_en, type = excluded.type, uscc = coalesce(excluded.uscc, supplier.uscc)
  `)
}

export async function selectSuppliers(db: Queryable, ids?: readonly string[]): Promise<SupplierRow[]> {
  return db.rows(sql`
    select id, name_zh as "nameZh", name_en as "nameEn", uscc, type from agreements.supplier
     where ${ids ?? null}::text[] is null or id = any(${ids ?? null}::text[]) order by id
  `)
}

export async function insertProject(
  tx: Transaction,
  { id, state, content, estimatePico }: ProjectRow,
  by: string,
  atMs: number,
): Promise<void> {
  await tx.rows(sql`
    insert into agreements.project (id, state, content, estimate, created_by, at_ms)
    values (${id}, ${state}, ${JSON.stringify(content)}::jsonb, ${estimatePico}::numeric, ${by}, ${atMs}::bigint)
  `)
}

export async function selectProjects(db: Queryable, id: string | null, lock = false): Promise<ProjectRow[]> {
  const rows = await db.rows<{ id: string; state: ProjectState; content: unknown; estimate: string }>(
    lock
      ? sql`select id, state, content, estimate from agreements.project where id = ${id} for update`
      : sql`select id, state, content, estimate from agreements.project where ${id}::text is null or id = ${id} order by id`,
  )
  return rows.map(({ content, estimate, ...row }) => ({
    ...row,
    content: content as TenderFile,
    estimatePico: integerFromNumeric(estimate),
  }))
}

export async function insertPackage(tx: Transaction, row: PackageRow): Promise<void> {
  const { id, project, number, name, state, ceilingPico, terms } = row
  await tx.rows(sql`
    insert into agreements.package (id, project, number, state, ceiling, content)
    values (${id}, ${project}, ${number}, ${state}, ${ceilingPico}::numeric, ${JSON.stringify({ name, terms })}::jsonb)
  `)
}

interface RawPackage {
  id: string
  project: string
  number: number
  state: PackageState
  ceiling: string
  content: { name: string; terms: unknown }
  until: bigint | null
  proposed: string | null
}

const packageOf = ({ ceiling, content, until, proposed, ...row }: RawPackage): PackageRow => ({
  ...row,
  name: content.name,
  terms: AgreementTerms.parse(content.terms),
  ceilingPico: integerFromNumeric(ceiling),
  objectionsUntilMs: until === null ? null : Number(until),
  awardProposedBy: proposed,
})

/** `project` null: of all projects. */
export async function selectPackages(db: Queryable, project: string | null): Promise<PackageRow[]> {
  const rows = await db.rows<RawPackage>(sql`
    select id, project, number, state, ceiling, content, objections_until_ms as until, award_proposed_by as proposed
      from agreements.package where ${project}::text is null or project = ${project} order by project, number
  `)
  return rows.map(packageOf)
}

export async function findPackage(db: Queryable, id: string): Promise<PackageRow | undefined> {
  const [row] = await db.rows<RawPackage>(sql`
    select id, project, number, state, ceiling, content, objections_until_ms as until, award_proposed_by as proposed
      from agreements.package where id = ${id}
  `)
  return row && packageOf(row)
}

/** Whoever changes a package, its bids, its shares or its orders locks it first. */
export async function lockPackage(tx: Transaction, id: string): Promise<PackageRow | undefined> {
  await tx.rows(sql`select id from agreements.package where id = ${id} for update`)
  return findPackage(tx, id)
}

export async function updatePackage(
  tx: Transaction,
  { id, objectionsUntilMs, awardProposedBy }: Pick<PackageRow, 'id' | 'objectionsUntilMs' | 'awardProposedBy'>,
): Promise<void> {
  await tx.rows(sql`
    update agreements.package set objections_until_ms = ${objectionsUntilMs}::bigint, award_proposed_by = ${awardProposedBy} where id = ${id}
  `)
}

export interface BidRow {
  readonly package: string
  readonly supplier: string
  readonly pricePico: bigint
  readonly documentHash: string
  readonly receivedAtMs: number
}

export async function insertBid(tx: Transaction, bid: BidRow, by: string): Promise<boolean> {
  const rows = await tx.rows(sql`
    insert into agreements.bid (package, supplier, price, document_hash, received_at_ms, by)
    values (${bid.package}, ${bid.supplier}, ${bid.pricePico}::numeric, ${bid.documentHash}, ${bid.receivedAtMs}::bigint, ${by})
        on conflict do nothing returning supplier
  `)
  return rows.length > 0
}

export async function scoreBid(
  tx: Transaction,
  bid: { readonly package: string; readonly supplier: string },
  scores: Readonly<Record<string, number>>,
  by: string,
): Promise<void> {
  const total = Object.values(scores).reduce((sum, points) => sum + points, 0)
  await tx.rows(sql`
    update agreements.bid set scores = ${JSON.stringify(scores)}::jsonb, total = ${total}::integer, scored_by = ${by}
     where package = ${bid.package} and supplier = ${bid.supplier}
  `)
}

/** Best first once they are scored. */
export async function selectBids(db: Queryable, packageId: string): Promise<BidView[]> {
  const rows = await db.rows<Omit<BidView, 'pricePico' | 'receivedAtMs'> & { price: string; received: bigint }>(sql`
    select b.supplier, s.name_zh as "nameZh", b.price, b.document_hash as "documentHash", b.received_at_ms as received, b.scores, b.total
      from agreements.bid b join agreements.supplier s on s.id = b.supplier
     where b.package = ${packageId} order by b.total desc nulls last, b.supplier
  `)
  return rows.map(({ price, received, ...row }) => ({ ...row, pricePico: price, receivedAtMs: Number(received) }))
}

export async function insertObjection(
  tx: Transaction,
  { id, raisedBy, text, atMs }: { id: string; raisedBy: string; text: string; atMs: number },
): Promise<void> {
  await tx.rows(sql`
    insert into agreements.objection (package, seq, raised_by, at_ms, text)
    select ${id}, 1 + count(*), ${raisedBy}, ${atMs}::bigint, ${text} from agreements.objection where package = ${id}
  `)
}

export async function decideObjection(
  tx: Transaction,
  {
    id,
    seq,
    decision,
    by,
    atMs,
    reason,
  }: { id: string; seq: number; decision: string; by: string; atMs: number; reason: string },
): Promise<boolean> {
  const rows = await tx.rows(sql`
    update agreements.objection set decision = ${decision}, decided_by = ${by}, decided_at_ms = ${atMs}::bigint, reason = ${reason}
     where package = ${id} and seq = ${seq}::integer and decision is null returning seq
  `)
  return rows.length > 0
}

export async function selectObjections(db: Queryable, packageId: string): Promise<PackageView['objections']> {
  const rows = await db.rows<Omit<PackageView['objections'][number], 'atMs'> & { at: bigint }>(sql`
    select seq, raised_by as "raisedBy", at_ms as at, text, decision, decided_by as "decidedBy", reason
      from agreements.objection where package = ${packageId} order by seq
  `)
  return rows.map(({ at, ...row }) => ({ ...row, atMs: Number(at) }))
}

import { AgreementTerms } from '#contract'
import type { AgreementState } from '#contract'
import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'

export interface AgreementRow {
  readonly id: string
  readonly package: string
  readonly supplier: string
  readonly state: AgreementState
  readonly terms: AgreementTerms
  readonly ceilingPico: bigint
  readonly calledPico: bigint
  readonly proposedBy: string
  readonly signedBy: string | null
  readonly validFromMs: number
  readonly validToMs: number
}

export async function insertAgreement(tx: Transaction, row: AgreementRow): Promise<void> {
  await tx.rows(sql`
    insert into agreements.agreement (id, package, supplier, state, terms, ceiling, called, proposed_by, valid_from_ms, valid_to_ms)
    values (${row.id}, ${row.package}, ${row.supplier}, ${row.state}, ${JSON.stringify(row.terms)}::jsonb, ${row.ceilingPico}::numeric,
      ${row.calledPico}::numeric, ${row.proposedBy}, ${row.validFromMs}::bigint, ${row.validToMs}::bigint)
  `)
}

export async function setSigned(tx: Transaction, id: string, by: string): Promise<void> {
  await tx.rows(sql`update agreements.agreement set signed_by = ${by} where id = ${id}`)
}

/** Throws the constraint if it would go above the ceiling; the caller looks first. */
export async function addCalled(tx: Transaction, id: string, amountPico: bigint): Promise<void> {
  await tx.rows(sql`update agreements.agreement set called = called + ${amountPico}::numeric where id = ${id}`)
}

/** What is wanted of them; null takes all. */
export interface AgreementFilter {
  readonly id?: string | undefined
  readonly supplier?: string | undefined
  readonly package?: string | undefined
}

export async function selectAgreements(
  db: Queryable,
  { id, supplier, package: pack }: AgreementFilter,
): Promise<AgreementRow[]> {
  const rows = await db.rows<{
    id: string
    package: string
    supplier: string
    state: AgreementState
    terms: unknown
    ceiling: string
    called: string
    proposed: string
    signed: string | null
    from: bigint
    to: bigint
  }>(sql`
    select id, package, supplier, state, terms, ceiling, called, proposed_by as proposed, signed_by as signed, valid_from_ms as "from", valid_to_ms as "to"
      from agreements.agreement
     where (${id ?? null}::text is null or id = ${id ?? null})
       and (${supplier ?? null}::text is null or supplier = ${supplier ?? null})
       and (${pack ?? null}::text is null or package = ${pack ?? null})
     order by id
  `)
  return rows.map(({ terms, ceiling, called, proposed, signed, from, to, ...row }) => ({
    ...row,
    terms: AgreementTerms.parse(terms),
    ceilingPico: integerFromNumeric(ceiling),
    calledPico: integerFromNumeric(called),
    proposedBy: proposed,
    signedBy: signed,
    validFromMs: Number(from),
    validToMs: Number(to),
  }))
}

export async function lockAgreement(tx: Transaction, id: string): Promise<AgreementRow | undefined> {
  await tx.rows(sql`select id from agreements.agreement where id = ${id} for update`)
  return (await selectAgreements(tx, { id }))[0]
}

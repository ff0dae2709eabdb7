import type { SignedCommitment } from '#contract'
import { sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'

export interface LinkRow {
  readonly from: string
  readonly to: string
  readonly rttMs: number
  readonly mebibytePico: string
}

export async function selectLinks(db: Queryable): Promise<LinkRow[]> {
  return db.rows<LinkRow>(sql`
    select from_region as "from", to_region as "to", rtt_ms as "rttMs", mebibyte_pico::text as "mebibytePico"
      from catalogue.link
     order by 1, 2
  `)
}

export async function upsertLink(tx: Transaction, row: LinkRow): Promise<void> {
  await tx.rows(sql`
    insert into catalogue.link (from_region, to_region, rtt_ms, mebibyte_pico)
    values (${row.from}, ${row.to}, ${row.rttMs}, ${row.mebibytePico})
        on conflict (from_region, to_region) do update
       set rtt_ms = excluded.rtt_ms, mebibyte_pico = excluded.mebibyte_pico
  `)
}

export async function selectCommitments(db: Queryable): Promise<SignedCommitment[]> {
  const rows = await db.rows<SignedCommitment & { readonly fromMs: bigint; readonly toMs: bigint }>(sql`
    select id, supplier, services, from_ms as "fromMs", to_ms as "toMs", terms
      from catalogue.commitment
     order by id
  `)
  return rows.map((row) => ({ ...row, fromMs: Number(row.fromMs), toMs: Number(row.toMs) }))
}

export async function upsertCommitment(tx: Transaction, row: SignedCommitment): Promise<void> {
  await tx.rows(sql`
    insert into catalogue.commitment (id, supplier, services, from_ms, to_ms, terms)
    values (${row.id}, ${row.supplier}, ${row.services}, ${row.fromMs}, ${row.toMs}, ${JSON.stringify(row.terms)})
        on conflict (id) do update
       set supplier = excluded.supplier, services = excluded.services, from_ms = excluded.from_ms,
           to_ms = excluded.to_ms, terms = excluded.terms
  `)
}

export async function deleteCommitment(tx: Transaction, id: string): Promise<void> {
  await tx.rows(sql`delete from catalogue.commitment where id = ${id}`)
}

/** Remembers what gateways were told of what was delivered. Anything else than before is a change that they must hear of. */
export async function noteDelivered(db: Queryable, hash: string): Promise<void> {
  await db.rows(sql`
    update catalogue.revision
       set delivered_hash = ${hash}, version = version + 1
     where delivered_hash <> ${hash}
  `)
}

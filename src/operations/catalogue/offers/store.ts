import { Offer } from '#contract'
import type { OfferView } from '#contract'
import { sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'

interface OfferRow {
  readonly id: string
  readonly kind: OfferView['kind']
  readonly state: OfferView['state']
  readonly content: unknown
  readonly createdAtMs: bigint
  readonly launchedAtMs: bigint | null
  readonly retiredAtMs: bigint | null
}

/** All, or the one with this id, in the order of their ids. */
export async function selectOffers(db: Queryable, only: string | null): Promise<OfferView[]> {
  const rows = await db.rows<OfferRow>(sql`
    select id, kind, state, content, created_at_ms as "createdAtMs", launched_at_ms as "launchedAtMs",
           retired_at_ms as "retiredAtMs"
      from catalogue.offer
     where ${only}::text is null or id = ${only}
     order by id
  `)
  return rows.map(({ content, state, createdAtMs, launchedAtMs, retiredAtMs, ...row }) => {
    const offer = { ...Offer.parse(content), state }
    return {
      ...row,
      state,
      name: offer.name ?? row.id,
      createdAtMs: Number(createdAtMs),
      launchedAtMs: launchedAtMs === null ? null : Number(launchedAtMs),
      retiredAtMs: retiredAtMs === null ? null : Number(retiredAtMs),
      offer,
    }
  })
}

/** The state stands in its own column: the content of what was launched is not written again. */
export async function upsertOffer(tx: Transaction, view: OfferView): Promise<void> {
  const content = { ...view.offer, state: undefined }
  await tx.rows(sql`
    insert into catalogue.offer (id, kind, state, content, created_at_ms, launched_at_ms, retired_at_ms)
    values (${view.id}, ${view.kind}, ${view.state}, ${JSON.stringify(content)}, ${view.createdAtMs}::bigint,
            ${view.launchedAtMs}::bigint, ${view.retiredAtMs}::bigint)
        on conflict (id) do update
       set kind = excluded.kind, state = excluded.state, content = excluded.content,
           launched_at_ms = excluded.launched_at_ms, retired_at_ms = excluded.retired_at_ms
  `)
}

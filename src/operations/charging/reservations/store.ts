import { sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'

export async function openHolder(
  tx: Transaction,
  holder: { readonly id: string; readonly epoch: number; readonly journal: string },
): Promise<void> {
  await tx.rows(sql`
    insert into charging.gateway (id, epoch, journal) values (${holder.id}, ${holder.epoch}::bigint, ${holder.journal})
    on conflict do nothing
  `)
}

/** Numbers and tenants of a holder's open slices that are over. */
export async function overdueSlices(
  db: Queryable,
  holder: string,
  nowMs: number,
): Promise<{ readonly number: number; readonly tenant: string }[]> {
  const rows = await db.rows<{ seq: bigint; tenant: string }>(sql`
    select s.seq, b.tenant from charging.slice s join charging.bucket b on b.id = s.bucket
     where s.gateway = ${holder} and s.state = 'open' and s.valid_until_ms <= ${nowMs}::bigint order by s.seq
  `)
  return rows.map(({ seq, tenant }) => ({ number: Number(seq), tenant }))
}

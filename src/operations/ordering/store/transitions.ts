import type { Transition } from '#contract'
import { sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'

export type Subject = 'order' | 'subscription' | 'arrears'

/** What a change of state is kept with. */
export interface Because {
  readonly atMs: number
  readonly by: string
  readonly reason: string
}

export async function insertTransition(
  tx: Transaction,
  subject: Subject,
  id: string,
  change: Because & { readonly from: string | null; readonly to: string },
): Promise<void> {
  await tx.rows(sql`
    insert into ordering.transition (subject, id, seq, from_state, to_state, at_ms, by, reason)
    select ${subject}, ${id}, 1 + count(*), ${change.from}, ${change.to}, ${change.atMs}::bigint, ${change.by}, ${change.reason}
      from ordering.transition where subject = ${subject} and id = ${id}
  `)
}

/** By id, oldest first. */
export async function transitionsOf(
  db: Queryable,
  subject: Subject,
  ids: readonly string[],
): Promise<Map<string, Transition[]>> {
  const rows = await db.rows<{
    id: string
    from: string | null
    to: string
    at: bigint
    by: string
    reason: string
  }>(sql`
    select id, from_state as "from", to_state as "to", at_ms as "at", by, reason
      from ordering.transition
     where subject = ${subject} and id = any(${ids}::text[])
     order by id, seq
  `)
  const found = new Map<string, Transition[]>()
  for (const { id, at, ...rest } of rows) {
    const list = found.get(id) ?? []
    list.push({ ...rest, atMs: Number(at) })
    found.set(id, list)
  }
  return found
}

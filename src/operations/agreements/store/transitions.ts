import type { SupplyTransition } from '#contract'
import { sql } from '#platform/postgres'
import type { Queryable, Statement, Transaction } from '#platform/postgres'
import type { Subject } from '../model/states.ts'

export async function insertTransition(
  tx: Transaction,
  subject: Subject,
  id: string,
  { from, to, atMs, by, reason }: SupplyTransition,
): Promise<void> {
  await tx.rows(sql`
    insert into agreements.transition (subject, id, seq, from_state, to_state, at_ms, by, reason)
    select ${subject}, ${id}, 1 + count(*), ${from}, ${to}, ${atMs}::bigint, ${by}, ${reason}
      from agreements.transition where subject = ${subject} and id = ${id}
  `)
}

/** Whoever calls it has locked the row. */
export async function setState(tx: Transaction, subject: Subject, id: string, to: string): Promise<void> {
  const statements: Readonly<Record<Subject, Statement>> = {
    project: sql`update agreements.project set state = ${to} where id = ${id}`,
    package: sql`update agreements.package set state = ${to} where id = ${id}`,
    agreement: sql`update agreements.agreement set state = ${to} where id = ${id}`,
    call_off: sql`update agreements.call_off set state = ${to} where id = ${id}`,
    lot: sql`update agreements.lot set state = ${to} where id = ${id}`,
  }
  await tx.rows(statements[subject])
}

/** Oldest first, by id. */
export async function historyOf(
  db: Queryable,
  subject: Subject,
  ids: readonly string[],
): Promise<ReadonlyMap<string, SupplyTransition[]>> {
  const rows = await db.rows<{
    id: string
    from: string | null
    to: string
    at: bigint
    by: string
    reason: string
  }>(sql`
    select id, from_state as "from", to_state as "to", at_ms as "at", by, reason
      from agreements.transition where subject = ${subject} and id = any(${ids}::text[]) order by id, seq
  `)
  const found = new Map<string, SupplyTransition[]>()
  for (const { id, at, ...rest } of rows) {
    const list = found.get(id) ?? []
    list.push({ ...rest, atMs: Number(at) })
    found.set(id, list)
  }
  return found
}

/** Gateways must hear of it. */
export async function bumpRevision(tx: Transaction): Promise<void> {
  await tx.rows(sql`update agreements.revision set value = value + 1`)
}

export async function readRevision(db: Queryable): Promise<number> {
  const [row] = await db.rows<{ value: bigint }>(sql`select value from agreements.revision`)
  return Number(row?.value ?? 0n)
}

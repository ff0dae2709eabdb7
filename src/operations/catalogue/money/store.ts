import { sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'

/** Which shares a file declared: only those end when it no longer does. Others come with what was bought. */
export async function selectDeclaredShares(db: Queryable, owner: string): Promise<readonly string[]> {
  const rows = await db.rows<{ member: string }>(sql`
    select member from catalogue.declared_share where owner = ${owner} order by member
  `)
  return rows.map(({ member }) => member)
}

export async function insertDeclaredShare(tx: Transaction, owner: string, member: string): Promise<void> {
  await tx.rows(sql`insert into catalogue.declared_share (owner, member) values (${owner}, ${member})`)
}

export async function deleteDeclaredShare(tx: Transaction, owner: string, member: string): Promise<void> {
  await tx.rows(sql`delete from catalogue.declared_share where owner = ${owner} and member = ${member}`)
}

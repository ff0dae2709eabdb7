import { sql } from '#platform/postgres'
import type { Transaction } from '#platform/postgres'

/** Whoever has the mark reads on from there; others wait. */
export async function lockMark(tx: Transaction): Promise<number> {
  const [row] = await tx.rows<{ seq: bigint }>(sql`select seq from quality.mark for update`)
  if (!row) throw new Error('quality.mark has no row')
  return Number(row.seq)
}

export async function moveMark(tx: Transaction, seq: number): Promise<void> {
  await tx.rows(sql`update quality.mark set seq = ${seq}::bigint`)
}

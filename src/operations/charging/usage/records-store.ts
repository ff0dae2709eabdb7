import type { UsageRecord } from '#contract'
import { sql } from '#platform/postgres'
import type { Queryable } from '#platform/postgres'

export interface RecordPage {
  /** Only these, if there are any. */
  readonly ids?: readonly string[] | undefined
  readonly tenants?: readonly string[] | undefined
  /** Of the time at which requests were accepted; both ends inclusive. */
  readonly fromMs?: number | undefined
  readonly toMs?: number | undefined
  readonly offset: number
  readonly limit: number
}

/** In the order of their ids, which is that of time, so that pages stay where they are while records arrive. */
export async function recordPage(
  db: Queryable,
  page: RecordPage,
): Promise<{ readonly records: UsageRecord[]; readonly total: number }> {
  const accepted = sql`(u.record->>'acceptedAtMs')::bigint`
  const where = [
    ...(page.ids ? [sql`u.id = any(${page.ids}::text[])`] : []),
    ...(page.tenants ? [sql`u.tenant = any(${page.tenants}::text[])`] : []),
    ...(page.fromMs === undefined ? [] : [sql`${accepted} >= ${page.fromMs}::bigint`]),
    ...(page.toMs === undefined ? [] : [sql`${accepted} <= ${page.toMs}::bigint`]),
  ].reduce((all, one) => sql`${all} and ${one}`, sql`true`)
  const [counted] = await db.rows<{ total: bigint }>(
    sql`select count(*) as total from charging.usage_record u where ${where}`,
  )
  const rows = await db.rows<{ record: UsageRecord }>(sql`
    select u.record from charging.usage_record u where ${where} order by u.id offset ${page.offset}::bigint limit ${page.limit}::bigint
  `)
  return { records: rows.map(({ record }) => record), total: Number(counted?.total ?? 0) }
}

import { isObject, parseExact, writeExact } from '#platform/json'
import { sql } from '#platform/postgres'
import type { Queryable, Statement, Transaction } from '#platform/postgres'
import { jsonPathOf } from './engine/filter.ts'
import type { Filter } from './engine/query.ts'
import type { Attributes, Resource } from './engine/resource.ts'

interface Row {
  id: string
  body: string
}

/** Bodies travel as text: the driver would read their numbers as floats. */
function toResource({ id, body }: Row): Resource {
  const attributes = parseExact(body)
  if (!isObject(attributes)) throw new Error(`tmf.resource ${id} is no object`)
  return { id, attributes }
}

/** Keeps a new resource and numbers it. Undefined if its id is taken; whoever takes it at the same time is waited for. */
export async function insertResource(
  tx: Transaction,
  type: string,
  resource: Resource & { readonly fingerprint: string; readonly atMs: number },
): Promise<number | undefined> {
  const [row] = await tx.rows<{ seq: bigint }>(sql`
    insert into tmf.resource (type, id, body, fingerprint, created_at_ms, changed_at_ms)
    values (${type}, ${resource.id}, ${writeExact(resource.attributes)}::jsonb, ${resource.fingerprint}, ${resource.atMs}::bigint,
      ${resource.atMs}::bigint)
    on conflict (type, id) do nothing returning seq
  `)
  return row && Number(row.seq)
}

export async function fingerprintOf(db: Queryable, type: string, id: string): Promise<string | undefined> {
  const [row] = await db.rows<{ fingerprint: string }>(
    sql`select fingerprint from tmf.resource where type = ${type} and id = ${id}`,
  )
  return row?.fingerprint
}

export async function resourceById(db: Queryable, type: string, id: string): Promise<Resource | undefined> {
  const [row] = await db.rows<Row>(
    sql`select id, body::text as body from tmf.resource where type = ${type} and id = ${id}`,
  )
  return row && toResource(row)
}

/** With its number. */
export async function lockResource(
  tx: Transaction,
  type: string,
  id: string,
): Promise<(Resource & { readonly number: number }) | undefined> {
  const [row] = await tx.rows<Row & { seq: bigint }>(
    sql`select id, seq, body::text as body from tmf.resource where type = ${type} and id = ${id} for update`,
  )
  return row && { ...toResource(row), number: Number(row.seq) }
}

export async function updateResource(
  tx: Transaction,
  type: string,
  { id, attributes, atMs }: { readonly id: string; readonly attributes: Attributes; readonly atMs: number },
): Promise<void> {
  await tx.rows(sql`
    update tmf.resource set body = ${writeExact(attributes)}::jsonb, changed_at_ms = ${atMs}::bigint where type = ${type} and id = ${id}
  `)
}

export async function deleteResource(tx: Transaction, type: string, id: string): Promise<void> {
  await tx.rows(sql`delete from tmf.resource where type = ${type} and id = ${id}`)
}

/** One page in the order of creation, and how many there are in all. */
export async function resourcePage(
  db: Queryable,
  type: string,
  page: { readonly filters: readonly Filter[]; readonly offset: number; readonly limit: number },
): Promise<{ readonly items: Resource[]; readonly total: number }> {
  const where = page.filters.map(condition).reduce((all, one) => sql`${all} and ${one}`, sql`type = ${type}`)
  const [counted] = await db.rows<{ total: bigint }>(sql`select count(*) as total from tmf.resource where ${where}`)
  const rows = await db.rows<Row>(sql`
    select id, body::text as body from tmf.resource where ${where} order by seq offset ${page.offset}::bigint limit ${page.limit}::bigint
  `)
  return { items: rows.map(toResource), total: Number(counted?.total ?? 0) }
}

function condition(filter: Filter): Statement {
  const [first] = filter.path
  if (first === 'id' && filter.path.length === 1 && filter.operator === 'eq')
    return sql`id = any(${filter.values}::text[])`
  const { path, variables } = jsonPathOf(filter)
  return sql`jsonb_path_exists(body, ${path}::jsonpath, ${writeExact(variables)}::jsonb, true)`
}

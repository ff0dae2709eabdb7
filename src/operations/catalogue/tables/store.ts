import { sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'
import type { TableVersionRow } from '../model.ts'

export interface TableRow {
  readonly id: string
  readonly displayName: string
}

export async function selectTables(db: Queryable): Promise<TableRow[]> {
  return db.rows<TableRow>(sql`
    select id, display_name as "displayName" from catalogue.conversion_table order by id
  `)
}

export async function upsertTable(tx: Transaction, { id, displayName }: TableRow): Promise<void> {
  await tx.rows(sql`
    insert into catalogue.conversion_table (id, display_name)
    values (${id}, ${displayName})
        on conflict (id) do update
       set display_name = excluded.display_name
  `)
}

interface VersionColumns extends Omit<TableVersionRow, 'validFromMs' | 'validToMs'> {
  readonly validFromMs: bigint
  readonly validToMs: bigint | null
}

const versionColumns = sql`id, "table", valid_from_ms as "validFromMs", valid_to_ms as "validToMs", weights`

/** Those that count, in order of beginning. */
export async function selectVersions(db: Queryable): Promise<TableVersionRow[]> {
  const rows = await db.rows<VersionColumns>(
    sql`select ${versionColumns} from catalogue.table_version where not withdrawn order by valid_from_ms, id`,
  )
  return rows.map(versionRow)
}

/** Announced and replaced; a record may name one all the same. */
export async function selectWithdrawnVersions(db: Queryable): Promise<TableVersionRow[]> {
  const rows = await db.rows<VersionColumns>(
    sql`select ${versionColumns} from catalogue.table_version where withdrawn order by id`,
  )
  return rows.map(versionRow)
}

export async function withdrawVersion(tx: Transaction, id: string): Promise<void> {
  await tx.rows(sql`update catalogue.table_version set withdrawn = true where id = ${id}`)
}

export async function upsertVersion(tx: Transaction, row: TableVersionRow): Promise<void> {
  await tx.rows(sql`
    insert into catalogue.table_version (id, "table", valid_from_ms, valid_to_ms, weights)
    values (${row.id}, ${row.table}, ${row.validFromMs}, ${row.validToMs}, ${JSON.stringify(row.weights)})
        on conflict (id) do update
       set valid_to_ms = excluded.valid_to_ms
  `)
}

function versionRow({ validFromMs, validToMs, ...row }: VersionColumns): TableVersionRow {
  return { ...row, validFromMs: Number(validFromMs), validToMs: validToMs === null ? null : Number(validToMs) }
}

import type { PeriodKind } from '#kernel'
import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'
import type { Definition, ReservationTerms } from './model.ts'

interface Raw {
  id: string
  tenant: string
  kind: Definition['kind']
  unit: string
  period: PeriodKind
  amount: string
  valid_from_ms: bigint
  valid_to_ms: bigint | null
  terms: ReservationTerms | null
}

const columns = sql`id, tenant, kind, unit, period, amount, valid_from_ms, valid_to_ms, terms`

function toDefinition(row: Raw): Definition {
  return {
    id: row.id,
    tenant: row.tenant,
    kind: row.kind,
    unit: row.unit,
    period: row.period,
    amount: integerFromNumeric(row.amount),
    validFromMs: Number(row.valid_from_ms),
    validToMs: row.valid_to_ms === null ? null : Number(row.valid_to_ms),
    ...(row.terms === null ? {} : { terms: row.terms }),
  }
}

/** Shared, so that the amount with which a period is filled does not change meanwhile. */
export async function findDefinition(tx: Transaction, id: string): Promise<Definition | undefined> {
  const [row] = await tx.rows<Raw>(sql`select ${columns} from charging.definition where id = ${id} for share`)
  return row && toDefinition(row)
}

export async function lockDefinition(tx: Transaction, id: string): Promise<Definition | undefined> {
  const [row] = await tx.rows<Raw>(sql`select ${columns} from charging.definition where id = ${id} for update`)
  return row && toDefinition(row)
}

/** Those that are in force at some time from then on. */
export async function definitionsAfter(db: Queryable, atMs: number): Promise<Definition[]> {
  return (
    await db.rows<Raw>(sql`
      select ${columns} from charging.definition where valid_to_ms is null or valid_to_ms > ${atMs}::bigint order by tenant, id
    `)
  ).map(toDefinition)
}

export async function writeDefinition(tx: Transaction, definition: Definition): Promise<void> {
  const { id, tenant, kind, unit, period, amount, validFromMs, validToMs, terms } = definition
  await tx.rows(sql`
    insert into charging.definition (id, tenant, kind, unit, period, amount, valid_from_ms, valid_to_ms, terms)
    values (${id}, ${tenant}, ${kind}, ${unit}, ${period}, ${amount}::numeric, ${validFromMs}::bigint, ${validToMs}::bigint,
      ${terms ? JSON.stringify(terms) : null}::jsonb)
    on conflict (id) do update set amount = excluded.amount, valid_from_ms = excluded.valid_from_ms, valid_to_ms = excluded.valid_to_ms,
      terms = excluded.terms
  `)
}

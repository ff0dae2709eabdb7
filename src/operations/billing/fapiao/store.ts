import { sql } from '#platform/postgres'
import type { Database, Queryable, Transaction } from '#platform/postgres'
import type { FapiaoKind, FapiaoRequest, FapiaoState } from './model.ts'

export interface Fapiao {
  readonly id: string
  readonly document: string
  readonly kind: FapiaoKind
  readonly state: FapiaoState
  readonly request: FapiaoRequest
  readonly number: string | null
  readonly redConfirmation: string | null
  readonly redNumber: string | null
  readonly failure: string | null
  readonly attempts: number
  readonly updatedAtMs: number
}

interface Row {
  id: string
  document: string
  kind: FapiaoKind
  state: FapiaoState
  request: FapiaoRequest
  number: string | null
  red_confirmation: string | null
  red_number: string | null
  failure: string | null
  attempts: number
  updated_at_ms: bigint
}

function toFapiao(row: Row): Fapiao {
  const { id, document, kind, state, request, number, failure, attempts } = row
  const red = { redConfirmation: row.red_confirmation, redNumber: row.red_number }
  return {
    id,
    document,
    kind,
    state,
    request,
    number,
    ...red,
    failure,
    attempts,
    updatedAtMs: Number(row.updated_at_ms),
  }
}

const columns = sql`id, document, kind, state, request, number, red_confirmation, red_number, failure, attempts, updated_at_ms`

/** All tax invoices of a document, the newest last; at most one of them is not reversed. */
export async function fapiaosOf(db: Queryable, document: string): Promise<Fapiao[]> {
  return (await db.rows<Row>(sql`select ${columns} from billing.fapiao where document = ${document} order by id`)).map(
    toFapiao,
  )
}

/** What counts of a tenant's tax invoices, or may still come to. */
export async function liveFapiaosOf(db: Queryable, tenant: string): Promise<Fapiao[]> {
  return (
    await db.rows<Row>(sql`
      select ${columns} from billing.fapiao
       where state not in ('failed', 'redIssued') and document in (select id from billing.document where tenant = ${tenant}) order by id
    `)
  ).map(toFapiao)
}

export async function insertFapiao(
  tx: Transaction,
  fapiao: { id: string; document: string; kind: FapiaoKind; request: FapiaoRequest; atMs: number },
): Promise<void> {
  await tx.rows(sql`
    insert into billing.fapiao (id, document, kind, state, request, updated_at_ms)
    values (${fapiao.id}, ${fapiao.document}, ${fapiao.kind}, 'requested', ${JSON.stringify(fapiao.request)}::jsonb, ${fapiao.atMs}::bigint)
  `)
}

/** Takes a step from a known state; false if somebody was first. */
export async function stepFapiao(
  tx: Transaction,
  step: Pick<Fapiao, 'id' | 'state' | 'number' | 'redConfirmation' | 'redNumber' | 'failure'> & {
    readonly from: FapiaoState
    readonly atMs: number
  },
): Promise<boolean> {
  const rows = await tx.rows(sql`
    update billing.fapiao set state = ${step.state}, number = ${step.number}, red_confirmation = ${step.redConfirmation},
      red_number = ${step.redNumber}, failure = ${step.failure}, attempts = attempts + 1, updated_at_ms = ${step.atMs}::bigint
     where id = ${step.id} and state = ${step.from} returning id
  `)
  return rows.length === 1
}

/** The simulator's part: gives a request its number, once, if the quota allows it. */
export async function simulateNumber(
  database: Database,
  wanted: { request: string; prefix: string; amountFen: bigint },
): Promise<string | undefined> {
  return database.transaction(async (tx) => {
    await tx.rows(sql`select only_one from billing.simulator for update`)
    const [known] = await tx.rows<{ number: string }>(
      sql`select number from billing.simulated_fapiao where request = ${wanted.request}`,
    )
    if (known) return known.number
    const [row] = await tx.rows<{ sequence: bigint }>(sql`
      update billing.simulator set sequence = sequence + 1, used_fen = used_fen + ${wanted.amountFen}::bigint
       where used_fen + ${wanted.amountFen}::bigint <= quota_fen returning sequence
    `)
    if (!row) return undefined
    const number = `${wanted.prefix}${row.sequence.toString().padStart(20 - wanted.prefix.length, '0')}`
    await tx.rows(sql`
      insert into billing.simulated_fapiao (request, number, amount_fen) values (${wanted.request}, ${number}, ${wanted.amountFen}::bigint)
    `)
    return number
  })
}

export async function setSimulatedQuota(db: Queryable, quotaFen: bigint): Promise<void> {
  await db.rows(sql`update billing.simulator set quota_fen = ${quotaFen}::bigint`)
}

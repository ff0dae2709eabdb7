import type { CallOffState, LotState } from '#contract'
import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'

export interface CallOffRow {
  readonly id: string
  readonly batch: string
  readonly agreement: string
  readonly package: string
  readonly supplier: string
  readonly state: CallOffState
  readonly units: number
  readonly lots: number
  readonly amountPico: bigint
  readonly proposedBy: string
  readonly issuedBy: string | null
  readonly orderedAtMs: number | null
  readonly deliveredUnits: number
  readonly deliveredAtMs: number | null
  readonly acceptedAtMs: number | null
  readonly reportHash: string | null
  readonly endsAtMs: number | null
}

export async function insertCallOff(
  tx: Transaction,
  row: Pick<
    CallOffRow,
    'id' | 'batch' | 'agreement' | 'package' | 'supplier' | 'state' | 'units' | 'lots' | 'amountPico' | 'proposedBy'
  >,
): Promise<void> {
  await tx.rows(sql`
    insert into agreements.call_off (id, batch, agreement, package, supplier, state, units, lots, amount, proposed_by)
    values (${row.id}, ${row.batch}, ${row.agreement}, ${row.package}, ${row.supplier}, ${row.state}, ${row.units}::integer,
      ${row.lots}::integer, ${row.amountPico}::numeric, ${row.proposedBy})
  `)
}

/** Everything of an order that its life adds to it. */
export async function updateCallOff(tx: Transaction, row: CallOffRow): Promise<void> {
  await tx.rows(sql`
    update agreements.call_off
       set issued_by = ${row.issuedBy}, ordered_at_ms = ${row.orderedAtMs}::bigint, delivered_units = ${row.deliveredUnits}::integer,
           delivered_at_ms = ${row.deliveredAtMs}::bigint, accepted_at_ms = ${row.acceptedAtMs}::bigint, report_hash = ${row.reportHash},
           ends_at_ms = ${row.endsAtMs}::bigint
     where id = ${row.id}
  `)
}

export interface CallOffFilter {
  readonly id?: string | undefined
  readonly agreement?: string | undefined
  readonly supplier?: string | undefined
  readonly batch?: string | undefined
}

interface RawCallOff extends Pick<
  CallOffRow,
  'id' | 'batch' | 'agreement' | 'package' | 'supplier' | 'state' | 'units' | 'lots'
> {
  amount: string
  proposed: string
  issued: string | null
  ordered: bigint | null
  delivered_units: number
  delivered: bigint | null
  accepted: bigint | null
  report: string | null
  ends: bigint | null
}

const ms = (value: bigint | null): number | null => (value === null ? null : Number(value))

export async function selectCallOffs(
  db: Queryable,
  { id, agreement, supplier, batch }: CallOffFilter,
): Promise<CallOffRow[]> {
  const rows = await db.rows<RawCallOff>(sql`
    select id, batch, agreement, package, supplier, state, units, lots, amount, proposed_by as proposed, issued_by as issued,
      ordered_at_ms as ordered, delivered_units, delivered_at_ms as delivered, accepted_at_ms as accepted, report_hash as report, ends_at_ms as ends
      from agreements.call_off
     where (${id ?? null}::text is null or id = ${id ?? null})
       and (${agreement ?? null}::text is null or agreement = ${agreement ?? null})
       and (${supplier ?? null}::text is null or supplier = ${supplier ?? null})
       and (${batch ?? null}::text is null or batch = ${batch ?? null})
     order by id
  `)
  return rows.map(
    ({ amount, proposed, issued, ordered, delivered_units: units, delivered, accepted, report, ends, ...row }) => ({
      ...row,
      amountPico: integerFromNumeric(amount),
      proposedBy: proposed,
      issuedBy: issued,
      orderedAtMs: ms(ordered),
      deliveredUnits: units,
      deliveredAtMs: ms(delivered),
      acceptedAtMs: ms(accepted),
      reportHash: report,
      endsAtMs: ms(ends),
    }),
  )
}

export async function lockCallOff(tx: Transaction, id: string): Promise<CallOffRow | undefined> {
  await tx.rows(sql`select id from agreements.call_off where id = ${id} for update`)
  return (await selectCallOffs(tx, { id }))[0]
}

export interface StopRow {
  readonly callOff: string
  readonly fromMs: number
  readonly toMs: number | null
  readonly reason: string
  readonly by: string
}

export async function selectStops(db: Queryable, callOffs: readonly string[]): Promise<StopRow[]> {
  const rows = await db.rows<{ callOff: string; from: bigint; to: bigint | null; reason: string; by: string }>(sql`
    select call_off as "callOff", from_ms as "from", to_ms as "to", reason, by from agreements.clock_stop
     where call_off = any(${callOffs}::text[]) order by call_off, from_ms
  `)
  return rows.map(({ from, to, ...row }) => ({ ...row, fromMs: Number(from), toMs: ms(to) }))
}

export async function openStop(tx: Transaction, { callOff, fromMs, reason, by }: Omit<StopRow, 'toMs'>): Promise<void> {
  await tx.rows(sql`
    insert into agreements.clock_stop (call_off, from_ms, reason, by) values (${callOff}, ${fromMs}::bigint, ${reason}, ${by})
  `)
}

export async function endStop(tx: Transaction, callOff: string, toMs: number): Promise<void> {
  await tx.rows(sql`
    update agreements.clock_stop set to_ms = greatest(${toMs}::bigint, from_ms + 1) where call_off = ${callOff} and to_ms is null
  `)
}

export interface DeliveryRow {
  readonly callOff: string
  readonly units: number
  readonly atMs: number
  readonly by: string
}

export async function insertDelivery(tx: Transaction, { callOff, units, atMs, by }: DeliveryRow): Promise<void> {
  await tx.rows(sql`
    insert into agreements.delivery (call_off, seq, units, at_ms, by)
    select ${callOff}, 1 + count(*), ${units}::integer, ${atMs}::bigint, ${by} from agreements.delivery where call_off = ${callOff}
  `)
}

export async function selectDeliveries(db: Queryable, callOffs: readonly string[]): Promise<DeliveryRow[]> {
  const rows = await db.rows<{ callOff: string; units: number; at: bigint; by: string }>(sql`
    select call_off as "callOff", units, at_ms as at, by from agreements.delivery
     where call_off = any(${callOffs}::text[]) order by call_off, seq
  `)
  return rows.map(({ at, ...row }) => ({ ...row, atMs: Number(at) }))
}

export interface LotRow {
  readonly id: string
  readonly callOff: string
  readonly agreement: string
  readonly supplier: string
  readonly model: string
  readonly units: number
  readonly state: LotState
  readonly fromMs: number
  readonly toMs: number
}

export async function insertLot(tx: Transaction, lot: LotRow): Promise<void> {
  await tx.rows(sql`
    insert into agreements.lot (id, call_off, agreement, supplier, model, units, state, from_ms, to_ms)
    values (${lot.id}, ${lot.callOff}, ${lot.agreement}, ${lot.supplier}, ${lot.model}, ${lot.units}::integer, ${lot.state},
      ${lot.fromMs}::bigint, ${lot.toMs}::bigint)
  `)
}

export async function selectLots(
  db: Queryable,
  { agreement, callOffs }: { agreement?: string; callOffs?: readonly string[] },
) {
  const rows = await db.rows<Omit<LotRow, 'fromMs' | 'toMs'> & { from: bigint; to: bigint }>(sql`
    select id, call_off as "callOff", agreement, supplier, model, units, state, from_ms as "from", to_ms as "to" from agreements.lot
     where (${agreement ?? null}::text is null or agreement = ${agreement ?? null})
       and (${callOffs ?? null}::text[] is null or call_off = any(${callOffs ?? null}::text[]))
     order by id
  `)
  return rows.map(({ from, to, ...row }): LotRow => ({ ...row, fromMs: Number(from), toMs: Number(to) }))
}

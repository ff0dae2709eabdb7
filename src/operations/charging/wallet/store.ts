import { integerFromNumeric, sql } from '#platform/postgres'
import type { Queryable, Transaction } from '#platform/postgres'

export interface Wallet {
  readonly tenant: string
  readonly postedPico: bigint
  readonly escrowedPico: bigint
}

interface WalletRow {
  tenant: string
  posted: string
  escrowed: string
}

function toWallet(row: WalletRow): Wallet {
  return {
    tenant: row.tenant,
    postedPico: integerFromNumeric(row.posted),
    escrowedPico: integerFromNumeric(row.escrowed),
  }
}

/** Locks wallets in the order of their names, as everybody does, so two transactions never wait for each other. */
export async function lockWallets(tx: Transaction, tenants: readonly string[]): Promise<Wallet[]> {
  const rows = await tx.rows<WalletRow>(sql`
    select tenant, posted, escrowed from charging.wallet where tenant = any(${tenants}::text[]) order by tenant for update
  `)
  return rows.map(toWallet)
}

export async function openWallets(tx: Transaction, tenants: readonly string[]): Promise<void> {
  await tx.rows(sql`
    insert into charging.wallet (tenant) select tenant from unnest(${tenants.toSorted()}::text[]) as fresh (tenant) on conflict do nothing
  `)
}

export async function moveWallets(
  tx: Transaction,
  moves: readonly { readonly tenant: string; readonly postedPico: bigint; readonly escrowedPico: bigint }[],
): Promise<void> {
  await tx.rows(sql`
    update charging.wallet w set posted = w.posted + m.posted, escrowed = w.escrowed + m.escrowed
      from unnest(${moves.map((move) => move.tenant)}::text[], ${moves.map((move) => move.postedPico)}::numeric[],
        ${moves.map((move) => move.escrowedPico)}::numeric[]) as m (tenant, posted, escrowed)
     where w.tenant = m.tenant
  `)
}

export async function wallet(db: Queryable, tenant: string): Promise<Wallet | undefined> {
  const [row] = await db.rows<WalletRow>(
    sql`select tenant, posted, escrowed from charging.wallet where tenant = ${tenant}`,
  )
  return row && toWallet(row)
}

export async function allWallets(db: Queryable): Promise<Wallet[]> {
  return (await db.rows<WalletRow>(sql`select tenant, posted, escrowed from charging.wallet order by tenant`)).map(
    toWallet,
  )
}

export interface TopupRow {
  readonly reference: string
  readonly tenant: string
  readonly amountPico: bigint
  readonly postingId: string
  readonly bookedAtMs: number
}

/** True if the reference is new. */
export async function insertTopup(tx: Transaction, topup: TopupRow): Promise<boolean> {
  const rows = await tx.rows(sql`
    insert into charging.topup (reference, tenant, amount, posting_id, booked_at_ms)
    values (${topup.reference}, ${topup.tenant}, ${topup.amountPico}::numeric, ${topup.postingId}, ${topup.bookedAtMs}::bigint)
    on conflict (reference) do nothing returning reference
  `)
  return rows.length === 1
}

export async function topupsAfter(db: Queryable, page: { reference: string; limit: number }): Promise<TopupRow[]> {
  const rows = await db.rows<{
    reference: string
    tenant: string
    amount: string
    posting_id: string
    booked_at_ms: bigint
  }>(sql`
    select reference, tenant, amount, posting_id, booked_at_ms from charging.topup
     where reference > ${page.reference} order by reference limit ${page.limit}
  `)
  return rows.map((row) => ({
    reference: row.reference,
    tenant: row.tenant,
    amountPico: integerFromNumeric(row.amount),
    postingId: row.posting_id,
    bookedAtMs: Number(row.booked_at_ms),
  }))
}

export async function topupByReference(
  db: Queryable,
  reference: string,
): Promise<{ tenant: string; amountPico: bigint } | undefined> {
  const [row] = await db.rows<{ tenant: string; amount: string }>(
    sql`select tenant, amount from charging.topup where reference = ${reference}`,
  )
  return row && { tenant: row.tenant, amountPico: integerFromNumeric(row.amount) }
}

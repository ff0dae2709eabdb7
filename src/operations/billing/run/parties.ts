import type { Queryable } from '#platform/postgres'
import type { BillingDeps } from '../deps.ts'
import { sellerUnknown } from '../problems.ts'
import type { Party } from './model.ts'
import { readProfile, writeProfile } from './store.ts'

const UNKNOWN: Omit<Party, 'name'> = {
  uscc: null,
  address: null,
  phone: null,
  bank: null,
  bankAccount: null,
  email: null,
  termsDays: 30,
}

/** Throws `seller_unknown`: a document without an issuer is none. */
export async function sellerOf(db: Queryable): Promise<Party> {
  const known = await readProfile(db, 'seller')
  if (known?.name === undefined) throw sellerUnknown({})
  return { ...UNKNOWN, ...known, name: known.name }
}

export async function buyerOf(
  db: Queryable,
  { tenantName }: Pick<BillingDeps, 'tenantName'>,
  tenant: string,
): Promise<Party> {
  const known = await readProfile(db, `buyer:${tenant}`)
  return { ...UNKNOWN, ...known, name: known?.name ?? (await tenantName(tenant)) ?? tenant }
}

/** Holds for documents made from now on; those that are issued keep what they say. */
export async function setSeller(deps: BillingDeps, details: Party, by: string): Promise<void> {
  await writeProfile(deps.database, { party: 'seller', details, atMs: deps.clock.nowMs(), by })
}

export async function setBuyer(deps: BillingDeps, tenant: string, details: Party, by: string): Promise<void> {
  await writeProfile(deps.database, { party: `buyer:${tenant}`, details, atMs: deps.clock.nowMs(), by })
}

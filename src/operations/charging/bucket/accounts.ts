import type { Transaction } from '#platform/postgres'
import { availableOf, lockAccountBuckets, openTokens, openWallets, setAccount } from './store.ts'
import type { Bucket } from './store.ts'
import { tokensOf, walletOf } from './model.ts'

/** A tenant, and the conversion tables in whose units it has or is to have lots. */
export interface AccountName {
  readonly tenant: string
  readonly tables?: readonly string[]
}

/** Everything of one tenant that lots can be in, locked. */
export interface Account {
  readonly wallet: Bucket
  readonly tokens: ReadonlyMap<string, Bucket>
}

/**
 * Opens and locks wallets and all buckets of tokens of some tenants. Whoever changes lots begins with it. A transaction that makes
 * several changes names everything in one call first: the posting of its first change holds up everybody who posts, and waiting
 * for another lock while holding that one may be for ever.
 */
export async function lockAccounts(tx: Transaction, names: readonly AccountName[]): Promise<Map<string, Account>> {
  const tenants = [...new Set(names.map(({ tenant }) => tenant))]
  await openWallets(tx, tenants)
  let buckets = await lockAccountBuckets(tx, tenants)
  const there = new Set(buckets.map(({ id }) => id))
  const tables = names
    .flatMap(({ tenant, tables: units = [] }) => units.map((table) => ({ tenant, table })))
    .filter(({ tenant, table }) => !there.has(tokensOf(tenant, table)))
  if (tables.length > 0) {
    // Under the lock of the wallet, so that nobody else opens the same ones meanwhile.
    await openTokens(tx, tables)
    buckets = await lockAccountBuckets(tx, tenants)
  }
  const byId = new Map(buckets.map((bucket) => [bucket.id, bucket]))
  return new Map(
    tenants.map((tenant) => {
      const wallet = byId.get(walletOf(tenant))
      if (!wallet) throw new Error(`the wallet of ${tenant} was opened and is not there`)
      const tokens = buckets.filter((bucket) => bucket.tenant === tenant && bucket.kind === 'tokens')
      return [tenant, { wallet, tokens: new Map(tokens.map((bucket) => [bucket.unit, bucket])) }]
    }),
  )
}

export async function lockAccount(tx: Transaction, tenant: string, table?: string): Promise<Account> {
  const account = (await lockAccounts(tx, [{ tenant, tables: table === undefined ? [] : [table] }])).get(tenant)
  if (!account) throw new Error(`the account of ${tenant} was opened and is not there`)
  return account
}

/** Money or tokens: the bucket that a lot of this unit goes into. */
export function bucketOf({ wallet, tokens }: Account, unit: string): Bucket {
  const bucket = unit === 'CNY' ? wallet : tokens.get(unit)
  if (!bucket) throw new Error(`${tokensOf(wallet.tenant, unit)} was opened and is not there`)
  return bucket
}

export interface AccountTerms {
  readonly tenant: string
  /** How far below zero a wallet may go. What is used or promised above it stays covered until it is repaid. */
  readonly creditLimitPico?: bigint
  /** The same for what was ordered, which adds to it: neither replaces the other. */
  readonly orderedCreditPico?: bigint
  /** What becomes of slices that nobody gives back: `strict` keeps them set aside, `available` frees them by itself. */
  readonly mode?: 'strict' | 'available'
  /** In which order new lots burn where a grant does not say: lower first. */
  readonly giftPriority?: number
  readonly paidPriority?: number
}

/** Opens a wallet or changes its terms; what is not named stays. Repeating it changes nothing. */
export async function openAccount(tx: Transaction, terms: AccountTerms): Promise<void> {
  const { wallet } = await lockAccount(tx, terms.tenant)
  const { mode = wallet.mode, giftPriority = wallet.giftPriority, paidPriority = wallet.paidPriority } = terms
  const creditDeclared = terms.creditLimitPico ?? wallet.creditDeclared
  const creditOrdered = terms.orderedCreditPico ?? wallet.creditOrdered
  const creditAgreed = creditDeclared + creditOrdered
  const least = wallet.creditLimit - availableOf(wallet)
  const creditLimit = creditAgreed > least ? creditAgreed : least
  await setAccount(tx, { id: wallet.id, creditLimit, creditDeclared, creditOrdered, mode, giftPriority, paidPriority })
}

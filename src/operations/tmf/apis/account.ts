import type { BalanceView } from '#contract'
import type { Catalogue } from '#catalogue'
import type { Charging } from '#charging'
import type { Identity } from '#identity'
import { balances } from '#ledger'
import type { Database } from '#platform/postgres'
import type { ExactObject } from '#platform/json'
import type { Api } from '../engine/kind.ts'
import { few } from '../engine/own.ts'
import type { Resource } from '../engine/resource.ts'
import * as types from '../types/account.ts'
import { ids, money, party, ref } from './refs.ts'

export const ACCOUNT_API = 'accountManagement'

export interface AccountRooms {
  readonly database: Database
  readonly identity: Identity
  readonly charging: Charging
  readonly catalogue: Catalogue
}

/** TMF666: a tenant is a party, billing and financial account; a supplier a settlement account. The BSS keeps more beside them. */
export function accountApi(rooms: AccountRooms): Api {
  return {
    name: ACCOUNT_API,
    kinds: [
      { type: types.partyAccount, own: few(() => customers(rooms, false)) },
      { type: types.billingAccount, own: few(() => customers(rooms, true)) },
      { type: types.settlementAccount, own: few(() => suppliers(rooms)) },
      { type: types.financialAccount, own: few(() => customers(rooms, false)) },
      { type: types.billingCycleSpecification },
      { type: types.billFormat },
      { type: types.billPresentationMedia },
    ],
  }
}

export function billingAccountRef(tenant: string, name?: string): ExactObject {
  return ref({
    api: ACCOUNT_API,
    resource: 'billingAccount',
    type: 'BillingAccount',
    id: ids.tenant(tenant),
    ...(name === undefined ? {} : { name }),
  })
}

async function customers({ identity, charging }: AccountRooms, isBilling: boolean): Promise<Resource[]> {
  const wallets = new Map((await charging.wallets()).map((wallet) => [wallet.tenant, wallet]))
  return (await identity.tenants()).map(({ id, displayName, status }) => {
    const wallet = wallets.get(id)
    const credit = BigInt(wallet?.creditLimitPico ?? '0')
    const attributes = {
      name: displayName,
      accountType: 'customer',
      state: status,
      relatedParty: [party(id, displayName, 'customer')],
      accountBalance: wallet ? walletBalances(wallet) : [],
      ...(credit > 0n ? { creditLimit: money(credit) } : {}),
      ...(isBilling ? { ratingType: credit > 0n ? 'postpaid' : 'prepaid' } : {}),
    }
    return { id: ids.tenant(id), attributes }
  })
}

function walletBalances({ postedPico, escrowedPico, availablePico }: BalanceView): ExactObject[] {
  return [
    { balanceType: 'DepositBalance', amount: money(BigInt(postedPico)) },
    { balanceType: 'ReservedBalance', amount: money(BigInt(escrowedPico)) },
    { balanceType: 'AvailableBalance', amount: money(BigInt(availablePico)) },
  ]
}

async function suppliers({ database, catalogue }: AccountRooms): Promise<Resource[]> {
  const list = await catalogue.suppliers()
  const owed = new Map((await balances(database, '2110:')).map(({ account, amountPico }) => [account, amountPico]))
  return list.map(({ id, displayName }) => ({
    id: ids.supplier(id),
    attributes: {
      name: displayName,
      accountType: 'supplier',
      state: 'active',
      relatedParty: [party(id, displayName, 'supplier')],
      // What we owe is a credit in our books, and the supplier's claim here.
      accountBalance: [{ balanceType: 'PayableBalance', amount: money(0n - (owed.get(`2110:${id}`) ?? 0n)) }],
    },
  }))
}

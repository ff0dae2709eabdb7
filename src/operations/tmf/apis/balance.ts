import type { BalanceView } from '#contract'
import type { Charging } from '#charging'
import type { Identity } from '#identity'
import { formatUnits, formatYuan } from '#kernel'
import type { Clock } from '#platform/clock'
import { decimal } from '#platform/json'
import type { ExactObject } from '#platform/json'
import type { Api, Kind } from '../engine/kind.ts'
import { few } from '../engine/own.ts'
import type { Attributes, Resource } from '../engine/resource.ts'
import { insufficientBalance } from '../problems.ts'
import * as types from '../types/balance.ts'
import { amountOf, refuse, walletTenant } from './amounts.ts'
import { CURRENCY, ids, party, quantity, ref, time } from './refs.ts'

const API = 'prepayBalanceManagement'

export interface BalanceRooms {
  readonly clock: Clock
  readonly identity: Identity
  readonly charging: Charging
}

/** TMF654: wallets are buckets, and what is done to them here is booked at once. */
export function balanceApi(rooms: BalanceRooms): Api {
  return {
    name: API,
    kinds: [
      bucketKind(rooms),
      topupKind(rooms),
      adjustKind(rooms),
      transferKind(rooms),
      reserveKind(rooms),
      { type: types.accumulatedBalance, own: few(() => accumulated(rooms)) },
    ],
  }
}

function bucketRef(id: string): ExactObject {
  return ref({ api: API, resource: 'bucket', type: 'Bucket', id })
}

/** Wallets are ours. A bucket of the BSS's own is kept for it and holds nothing of ours. */
function bucketKind({ clock, charging, identity }: BalanceRooms): Kind {
  return {
    type: types.bucket,
    own: few(async () => {
      const names = new Map((await identity.tenants()).map(({ id, displayName }) => [id, displayName]))
      const nowMs = clock.nowMs()
      return (await charging.wallets()).flatMap((wallet) => {
        const name = names.get(wallet.tenant) ?? wallet.tenant
        return [
          walletBucket(wallet, name, nowMs),
          ...wallet.tokens.map((one) => tokenBucket(wallet.tenant, one, name, nowMs)),
        ]
      })
    }),
    onCreate: async (_tx, _draft, { nowMs }) => ({
      status: 'active',
      confirmationDate: time(nowMs),
      remainingValue: quantity(0n),
    }),
  }
}

function walletBucket(wallet: BalanceView, name: string, nowMs: number): Resource {
  const { tenant, availablePico, escrowedPico } = wallet
  const attributes = {
    name: `Wallet of ${name}`,
    usageType: 'monetary',
    status: 'active',
    isShared: false,
    // The moment for which these amounts are confirmed.
    confirmationDate: time(nowMs),
    remainingValue: quantity(BigInt(availablePico)),
    remainingValueName: CURRENCY,
    reservedValue: quantity(BigInt(escrowedPico)),
    ...ownerOf(tenant, name),
  }
  return { id: ids.wallet(tenant), attributes }
}

/** Tokens that were bought in packages, in the unit of a conversion table. */
function tokenBucket(tenant: string, tokens: BalanceView['tokens'][number], name: string, nowMs: number): Resource {
  const { table, available, escrowed } = tokens
  const units = (millionths: string): ExactObject => ({
    amount: decimal(formatUnits(BigInt(millionths))),
    units: table,
  })
  const attributes = {
    name: `${table} of ${name}`,
    usageType: 'other',
    status: 'active',
    isShared: false,
    confirmationDate: time(nowMs),
    remainingValue: units(available),
    remainingValueName: table,
    reservedValue: units(escrowed),
    ...ownerOf(tenant, name),
  }
  return { id: ids.tokens(tenant, table), attributes }
}

function ownerOf(tenant: string, name: string): ExactObject {
  const account = { api: 'accountManagement', resource: 'partyAccount', type: 'PartyAccount', id: ids.tenant(tenant) }
  return { partyAccount: ref(account), relatedParty: [party(tenant, name, 'customer')] }
}

async function accumulated({ charging, identity }: BalanceRooms): Promise<Resource[]> {
  const wallets = new Map((await charging.wallets()).map((wallet) => [wallet.tenant, wallet]))
  return (await identity.tenants()).map(({ id, displayName }) => ({
    id: ids.tenant(id),
    attributes: {
      name: displayName,
      totalBalance: quantity(BigInt(wallets.get(id)?.postedPico ?? '0')),
      bucket: [bucketRef(ids.wallet(id))],
      relatedParty: [party(id, displayName, 'customer')],
    },
  }))
}

/** A payment that the BSS has received: booked once per id, in the transaction that keeps the request. */
function topupKind({ charging, identity }: BalanceRooms): Kind {
  return {
    type: types.topupBalance,
    async onCreate(tx, draft, { id, nowMs }) {
      const tenant = await walletTenant(identity, draft['bucket'], 'bucket.id')
      const amountPico = amountOf(draft['amount'], 'amount')
      await charging.topupIn(tx, { tenant, amountPico, reference: `tmf654:${id}` })
      return { status: 'completed', confirmationDate: time(nowMs) }
    },
  }
}

/** Goodwill: gift money, which is no revenue when it is spent. What is taken from a wallet is an order, and has a price and tax. */
function adjustKind({ charging, identity }: BalanceRooms): Kind {
  return {
    type: types.adjustBalance,
    async onCreate(tx, draft, { id, nowMs }) {
      const tenant = await walletTenant(identity, draft['bucket'], 'bucket.id')
      const amount = amountOf(draft['amount'], 'amount')
      const reference = `tmf654:${id}`
      await charging.grantLot(tx, { tenant, unit: CURRENCY, source: 'gift', amount, reference, memo: memoOf(draft) })
      return { status: 'completed', confirmationDate: time(nowMs) }
    },
  }
}

/** Paid money from one wallet to another; gifts and credit stay where they are. */
function transferKind({ charging, identity }: BalanceRooms): Kind {
  return {
    type: types.transferBalance,
    async onCreate(tx, draft, { id, nowMs }) {
      const from = await walletTenant(identity, draft['bucket'], 'bucket.id')
      const to = await walletTenant(identity, draft['receiverBucket'], 'receiverBucket.id')
      const amountPico = amountOf(draft['amount'], 'amount')
      if (from === to) refuse('receiverBucket.id', 'is the same wallet')
      await charging.transfer(tx, { from, to, amountPico, reference: `tmf654:${id}`, memo: memoOf(draft) })
      return { status: 'completed', confirmationDate: time(nowMs) }
    },
  }
}

function memoOf({ reason }: Attributes): string {
  return typeof reason === 'string' && reason.trim() !== '' ? reason.slice(0, 200) : 'by the BSS'
}

/** How long money is set aside when the BSS does not say. */
const RESERVED_MS = 600_000
const LONGEST_RESERVED_MS = 31 * 86_400_000

/** Sets money of a wallet aside, so that no request can spend it, until a DELETE gives it back or its time is over. */
function reserveKind({ charging, identity }: BalanceRooms): Kind {
  return {
    type: types.reserveBalance,
    async onCreate(tx, draft, { number, nowMs }) {
      const tenant = await walletTenant(identity, draft['bucket'], 'bucket.id')
      const amountPico = amountOf(draft['amount'], 'amount')
      const wanted = draft['expirationDate']
      const untilMs = typeof wanted === 'string' ? Date.parse(wanted) : nowMs + RESERVED_MS
      if (untilMs <= nowMs || untilMs > nowMs + LONGEST_RESERVED_MS)
        refuse('expirationDate', 'not within the next 31 days')
      const result = await charging.reserveIn(tx, { number, tenant, amountPico, untilMs })
      if (result.outcome === 'insufficient')
        throw insufficientBalance({ needed: formatYuan(amountPico), available: formatYuan(result.availablePico) })
      return { status: 'reserved', confirmationDate: time(nowMs), expirationDate: time(untilMs) }
    },
    async onDelete(tx, { number, attributes }) {
      const tenant = await walletTenant(identity, attributes['bucket'], 'bucket.id')
      await charging.unreserveIn(tx, { number, tenant })
    },
  }
}

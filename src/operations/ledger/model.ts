import type { Pico } from '#kernel'

export type AccountType = 'asset' | 'liability' | 'income' | 'expense'

interface ChartLine {
  readonly name: string
  readonly type: AccountType
  /** Whose account it is, where there is one per party: `2000:acme`. */
  readonly per?: 'tenant' | 'service' | 'supplier'
}

/** The chart of accounts, as far as it is in use. An account that is not on it cannot be posted to. */
export const CHART: Readonly<Record<string, ChartLine>> = {
  '1010': { name: 'payment clearing', type: 'asset' },
  '2000': { name: 'wallet', type: 'liability', per: 'tenant' },
  '2110': { name: 'accrued supplier cost', type: 'liability', per: 'supplier' },
  '2210': { name: 'output VAT, not billed yet', type: 'liability' },
  '4000': { name: 'usage revenue', type: 'income', per: 'service' },
  '5000': { name: 'inference cost', type: 'expense', per: 'supplier' },
  '5040': { name: 'non-billable inference', type: 'expense', per: 'supplier' },
}

/** `amountPico`: a debit is positive, a credit negative. */
export interface Entry {
  readonly account: string
  readonly amountPico: bigint
}

/** What a room asks the ledger to post. */
export interface PostingInput {
  /** The caller's name for the event. Posting twice under one key posts once. */
  readonly key: string
  readonly kind: string
  readonly memo: string
  readonly bookedAtMs: number
  readonly entries: readonly Entry[]
  /** SHA-256 (64 hex digits) over the facts that the entries were made from, or null where the memo says it all. */
  readonly evidence: string | null
  /** How many facts those are. */
  readonly facts: number
}

export interface Posting extends PostingInput {
  readonly seq: number
  readonly id: string
  /** SHA-256 of the posting before this one in the chain, and of this one; 64 hex digits each. */
  readonly prevHash: string
  readonly hash: string
}

/** `amountPico` is Σ entries: a wallet with money in it is negative, because it is owed. */
export interface Balance {
  readonly account: string
  readonly amountPico: Pico
  readonly entries: number
}

/** Type of an account by the chart. Throws `RangeError` for an account that is not on it. */
export function accountType(account: string): AccountType {
  const colon = account.indexOf(':')
  const line = CHART[colon < 0 ? account : account.slice(0, colon)]
  const party = colon < 0 ? undefined : account.slice(colon + 1)
  if (!line || (line.per === undefined) !== (party === undefined) || party === '')
    throw new RangeError(`no such account: ${account.slice(0, 160)}`)
  return line.type
}

/** One entry per account, none of zero, in the order of their accounts. Throws `RangeError` unless the entries sum to zero. */
export function balanced(entries: readonly Entry[]): Entry[] {
  const sums = new Map<string, bigint>()
  let total = 0n
  for (const { account, amountPico } of entries) {
    sums.set(account, (sums.get(account) ?? 0n) + amountPico)
    total += amountPico
  }
  if (total !== 0n) throw new RangeError(`entries do not sum to zero: ${total}`)
  for (const account of sums.keys()) accountType(account)
  return [...sums]
    .filter(([, amountPico]) => amountPico !== 0n)
    .map(([account, amountPico]) => ({ account, amountPico }))
    .toSorted((a, b) => (a.account < b.account ? -1 : 1))
}

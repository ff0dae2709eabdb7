import type { Pico } from '#kernel'

export type AccountType = 'asset' | 'liability' | 'income' | 'expense' | 'statistical'

interface ChartLine {
  readonly name: string
  readonly type: AccountType
  /** Whose account it is, where there is one per party: `2000:acme`. */
  readonly per?: 'tenant' | 'service' | 'supplier' | 'table' | 'tenant/table'
}

/** The chart of accounts, as far as it is in use. An account that is not on it cannot be posted to. */
export const CHART: Readonly<Record<string, ChartLine>> = {
  '1000': { name: 'bank', type: 'asset' },
  '1010': { name: 'payment clearing', type: 'asset' },
  '1100': { name: 'receivable, invoiced', type: 'asset', per: 'tenant' },
  '1110': { name: 'receivable, not billed yet', type: 'asset', per: 'tenant' },
  '1190': { name: 'overrun', type: 'asset', per: 'tenant' },
  '1200': { name: 'prepaid supply capacity', type: 'asset', per: 'supplier' },
  '1210': { name: 'supplier receivable', type: 'asset', per: 'supplier' },
  '1300': { name: 'input VAT', type: 'asset' },
  '2000': { name: 'wallet, paid', type: 'liability', per: 'tenant' },
  '2001': { name: 'wallet, gifts and service credits', type: 'liability', per: 'tenant' },
  '2009': { name: 'gifts issued (contra)', type: 'liability', per: 'tenant' },
  '2010': { name: 'deferred revenue', type: 'liability', per: 'tenant' },
  '2100': { name: 'payable to suppliers, approved', type: 'liability', per: 'supplier' },
  '2110': { name: 'accrued supplier cost', type: 'liability', per: 'supplier' },
  '2115': { name: 'payable to suppliers, disputed', type: 'liability', per: 'supplier' },
  '2200': { name: 'output VAT, billed', type: 'liability' },
  '2210': { name: 'output VAT, not billed yet', type: 'liability' },
  '2300': { name: 'SLA credits approved', type: 'liability', per: 'tenant' },
  '2400': { name: 'refunds payable', type: 'liability', per: 'tenant' },
  '4000': { name: 'usage revenue', type: 'income', per: 'service' },
  '4010': { name: 'package and reservation revenue', type: 'income', per: 'tenant' },
  '4020': { name: 'breakage', type: 'income', per: 'tenant' },
  '4100': { name: 'credits and discounts (contra)', type: 'income', per: 'tenant' },
  '5000': { name: 'inference cost', type: 'expense', per: 'supplier' },
  '5020': { name: 'rounding', type: 'expense' },
  '5030': { name: 'write-off', type: 'expense' },
  '5040': { name: 'non-billable inference', type: 'expense', per: 'supplier' },
  '5060': { name: 'supplier variance', type: 'expense', per: 'supplier' },
  '5070': { name: 'supplier penalty (negative cost)', type: 'expense', per: 'supplier' },
  '8000': { name: 'tokens issued', type: 'statistical', per: 'table' },
  '8010': { name: 'tokens in lots', type: 'statistical', per: 'tenant/table' },
  '8020': { name: 'tokens consumed', type: 'statistical', per: 'table' },
  '8030': { name: 'tokens expired', type: 'statistical', per: 'table' },
}

/** What an account is kept in: yuan, or for accounts of tokens the unit of a conversion table. */
export function unitOf(account: string): string {
  return account < '8000' ? 'CNY' : (/[^:/]*$/.exec(account)?.[0] ?? '')
}

/** `amountPico`: a debit is positive, a credit negative. For accounts of tokens, millionths of a conversion table's unit. */
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
  if (!line || (line.per === undefined) !== (party === undefined) || party === '' || !isNamedRight(line, party))
    throw new RangeError(`no such account: ${account.slice(0, 160)}`)
  return line.type
}

/** The unit of an account of tokens is the last part of its name, so a name of too few or too many parts would be of another unit. */
function isNamedRight({ per }: ChartLine, party = ''): boolean {
  if (per === 'table') return !/[:/]/.test(party)
  return per !== 'tenant/table' || /^[^:/]+\/[^:/]+$/.test(party)
}

/** One entry per account, none of zero, in the order of their accounts. Throws `RangeError` unless they sum to zero in every unit. */
export function balanced(entries: readonly Entry[]): Entry[] {
  const sums = new Map<string, bigint>()
  for (const { account, amountPico } of entries) sums.set(account, (sums.get(account) ?? 0n) + amountPico)
  const totals = new Map<string, bigint>()
  for (const [account, amountPico] of sums) {
    accountType(account)
    const unit = unitOf(account)
    totals.set(unit, (totals.get(unit) ?? 0n) + amountPico)
  }
  for (const [unit, total] of totals)
    if (total !== 0n) throw new RangeError(`entries do not sum to zero: ${total} ${unit}`)
  return [...sums]
    .filter(([, amountPico]) => amountPico !== 0n)
    .map(([account, amountPico]) => ({ account, amountPico }))
    .toSorted((a, b) => (a.account < b.account ? -1 : 1))
}

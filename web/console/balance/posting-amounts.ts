import { parseYuan } from '#kernel'

interface Entry {
  readonly account: string
  readonly amountPico: string
}

const WALLET = new Set(['1100', '1110', '2000', '2001'])

/**
 * What a posting did to a tenant's wallet: lots that were paid (2000) or given (2001) are a liability, so a credit (negative entry) is
 * more money for the tenant; credit in use (1110, and 1100 once it is invoiced) is a receivable, of which a debit is less.
 */
export function walletChange(entries: readonly Entry[], tenant: string): bigint {
  let change = 0n
  for (const entry of entries)
    if (WALLET.has(entry.account.slice(0, 4)) && entry.account.slice(5) === tenant) change -= BigInt(entry.amountPico)
  return change
}

/** The sum of a posting's debits, which equals the sum of its credits. */
export function turnoverOf(entries: readonly Entry[]): bigint {
  let sum = 0n
  // Accounts from 8000 on are kept in units, not in money.
  for (const { account, amountPico } of entries)
    if (account < '8000' && !amountPico.startsWith('-')) sum += BigInt(amountPico)
  return sum
}

/** An amount as typed, or undefined if it is not a plain positive decimal that the books can hold. */
export function parseTopUp(text: string): bigint | undefined {
  try {
    const amount = parseYuan(text.trim())
    return amount > 0n ? amount : undefined
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

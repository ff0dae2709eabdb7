import { parseYuan } from '#kernel'

interface Entry {
  readonly account: string
  readonly amountPico: string
}

/** What a posting did to a tenant's wallet: the wallet is a liability, so a credit (negative entry) is more money for the tenant. */
export function walletChange(entries: readonly Entry[], tenant: string): bigint {
  let change = 0n
  for (const entry of entries) if (entry.account === `2000:${tenant}`) change -= BigInt(entry.amountPico)
  return change
}

/** The sum of a posting's debits, which equals the sum of its credits. */
export function turnoverOf(entries: readonly Entry[]): bigint {
  let sum = 0n
  for (const entry of entries) if (!entry.amountPico.startsWith('-')) sum += BigInt(entry.amountPico)
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

import type { Entry } from '#ledger'

/** Ten trillion yuan: no single amount of any record is larger, so no sum of records outgrows the 38 digits of a column. */
export const MOST_PICO = 10n ** 25n

/** Whose money it is and how much, for one usage record or a sum of several with the same parties. */
export interface Usage {
  readonly tenant: string
  readonly service: string
  readonly supplier: string
  /** False where the tenant pays nothing: the supplier or the factory failed. */
  readonly billed: boolean
  readonly sellPico: bigint
  readonly taxPico: bigint
  readonly buyPico: bigint
}

/** A customer pays for answers that arrived, and for what was generated until it hung up. Our failures are our cost. */
export function isBilled(ending: string): boolean {
  return ending === 'completed' || ending === 'client_closed'
}

/**
 * A usage record's money in the books, on both sides. It is linear, so the entries of a sum of records are the sum of their
 * entries: that is what lets a batch be posted at once and every record be explained on its own.
 */
export function usageEntries(usage: Usage): Entry[] {
  const { tenant, service, supplier, billed, sellPico, taxPico, buyPico } = usage
  const entries = [
    { account: `2000:${tenant}`, amountPico: sellPico },
    { account: `4000:${service}`, amountPico: taxPico - sellPico },
    { account: '2210', amountPico: -taxPico },
    { account: `${billed ? '5000' : '5040'}:${supplier}`, amountPico: buyPico },
    { account: `2110:${supplier}`, amountPico: -buyPico },
  ]
  return entries.filter((entry) => entry.amountPico !== 0n)
}

export function topupEntries({ tenant, amountPico }: { tenant: string; amountPico: bigint }): Entry[] {
  return [
    { account: '1010', amountPico },
    { account: `2000:${tenant}`, amountPico: -amountPico },
  ]
}

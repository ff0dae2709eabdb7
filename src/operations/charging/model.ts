import type { Entry } from '#ledger'

/** Ten trillion yuan: no single amount of any record is larger, so no sum of records outgrows the 38 digits of a column. */
export const MOST_PICO = 10n ** 25n

/** Whose money it is and how much, for one usage record or a sum of several with the same parties. */
export interface Usage {
  /** Whose wallet pays. */
  readonly payer: string
  readonly service: string
  readonly supplier: string
  /** False where the tenant pays nothing: the supplier or the factory failed. */
  readonly billed: boolean
  readonly sellPico: bigint
  /** The parts of `sellPico` that lots of gifts, credit, and nobody yet (a slice was reclaimed) cover. Paid lots cover the rest. */
  readonly giftPico: bigint
  readonly creditPico: bigint
  readonly overrunPico: bigint
  /** Tax on what is not a gift. */
  readonly taxPico: bigint
  readonly buyPico: bigint
}

/** A customer pays for answers that arrived, and for what was generated until it hung up. Our failures are our cost. */
export function isBilled(ending: string): boolean {
  return ending === 'completed' || ending === 'client_closed'
}

/**
 * A usage record's money in the books, on both sides. It is linear, so the entries of a sum of records are the sum of their
 * entries: that is what lets a batch be posted at once and every record be explained on its own. A gift that is used up is neither
 * revenue nor taxed.
 */
export function usageEntries(usage: Usage): Entry[] {
  const { payer, service, supplier, billed, sellPico, giftPico, creditPico, overrunPico, taxPico, buyPico } = usage
  const entries = [
    { account: `2000:${payer}`, amountPico: sellPico - giftPico - creditPico - overrunPico },
    { account: `1110:${payer}`, amountPico: creditPico },
    { account: `1190:${payer}`, amountPico: overrunPico },
    { account: `2001:${payer}`, amountPico: giftPico },
    { account: `2009:${payer}`, amountPico: -giftPico },
    { account: `4000:${service}`, amountPico: taxPico + giftPico - sellPico },
    { account: '2210', amountPico: -taxPico },
    { account: `${billed ? '5000' : '5040'}:${supplier}`, amountPico: buyPico },
    { account: `2110:${supplier}`, amountPico: -buyPico },
  ]
  return entries.filter((entry) => entry.amountPico !== 0n)
}

/** What an attempt that did not serve costs us: our cost whatever became of the request, and never the tenant's. */
export function attemptEntries({ supplier, buyPico }: { supplier: string; buyPico: bigint }): Entry[] {
  if (buyPico === 0n) return []
  return [
    { account: `5040:${supplier}`, amountPico: buyPico },
    { account: `2110:${supplier}`, amountPico: -buyPico },
  ]
}

/** Tokens of a tenant's lots that were used up, in millionths of the table's unit, and the revenue that was deferred for them. */
export interface TokenBurn {
  readonly tenant: string
  readonly table: string
  readonly units: bigint
  readonly revenuePico: bigint
}

export function tokenEntries({ tenant, table, units, revenuePico }: TokenBurn): Entry[] {
  const entries = [
    { account: `8010:${tenant}/${table}`, amountPico: units },
    { account: `8020:${table}`, amountPico: -units },
    { account: `2010:${tenant}`, amountPico: revenuePico },
    { account: `4010:${tenant}`, amountPico: -revenuePico },
  ]
  return entries.filter((entry) => entry.amountPico !== 0n)
}

export function topupEntries({
  tenant,
  amountPico,
  repaidPico,
}: {
  tenant: string
  amountPico: bigint
  repaidPico: bigint
}): Entry[] {
  const entries = [
    { account: '1010', amountPico },
    { account: `2000:${tenant}`, amountPico: repaidPico - amountPico },
    { account: `1190:${tenant}`, amountPico: -repaidPico },
  ]
  return entries.filter((entry) => entry.amountPico !== 0n)
}

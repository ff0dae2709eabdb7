import { fenToPico } from '#kernel'
import type { Entry } from '#ledger'
import { totalsOf } from './lines.ts'
import type { Amounts, Line } from './lines.ts'

/**
 * Issuing: what was on credit becomes a receivable in fen, and the tax of what is billed becomes tax that is owed. What rounding
 * adds or takes is an expense or a gain of our own. The same entries with the other sign are a credit note's.
 */
export function issueEntries(tenant: string, lines: readonly Line[]): Entry[] {
  const { dueFen, taxFen } = totalsOf(lines)
  const due = fenToPico(dueFen)
  const credit = lines.reduce((sum, { from, to }) => sum + to.creditPico - from.creditPico, 0n)
  const tax = lines.reduce((sum, { from, to }) => sum + to.taxPico - from.taxPico, 0n)
  return withRest([
    { account: `1100:${tenant}`, amountPico: due },
    { account: `1110:${tenant}`, amountPico: -credit },
    { account: '2210', amountPico: tax },
    { account: '2200', amountPico: fenToPico(-taxFen) },
  ])
}

/** What a document posts: its steps of charges, and its credits on lines of others. */
export function documentEntries(
  tenant: string,
  { steps, credits }: { readonly steps: readonly Line[]; readonly credits: readonly Amounts[] },
): Entry[] {
  const { netFen, taxFen } = totalsOf(credits)
  return [
    ...(steps.length > 0 ? issueEntries(tenant, steps) : []),
    ...creditEntries(tenant, { netFen: -netFen, taxFen: -taxFen }),
  ]
}

/** A credit that an operator grants on an issued document: less revenue, less tax, less to pay. */
export function creditEntries(tenant: string, amounts: { readonly netFen: bigint; readonly taxFen: bigint }): Entry[] {
  return entriesOf([
    [`4100:${tenant}`, fenToPico(amounts.netFen)],
    ['2200', fenToPico(amounts.taxFen)],
    [`1100:${tenant}`, fenToPico(-amounts.netFen - amounts.taxFen)],
  ])
}

export function paymentEntries(tenant: string, fen: bigint): Entry[] {
  return entriesOf([
    ['1010', fenToPico(fen)],
    [`1100:${tenant}`, fenToPico(-fen)],
  ])
}

export function payoutEntries(tenant: string, fen: bigint): Entry[] {
  return entriesOf([
    [`2400:${tenant}`, fenToPico(fen)],
    ['1000', fenToPico(-fen)],
  ])
}

function withRest(entries: readonly Entry[]): Entry[] {
  const rest = entries.reduce((sum, entry) => sum + entry.amountPico, 0n)
  return [...entries, { account: '5020', amountPico: -rest }].filter((entry) => entry.amountPico !== 0n)
}

function entriesOf(pairs: readonly (readonly [account: string, amountPico: bigint])[]): Entry[] {
  return pairs.filter(([, amountPico]) => amountPico !== 0n).map(([account, amountPico]) => ({ account, amountPico }))
}

import type { Transaction } from '#platform/postgres'
import { parseFen } from '../model/fen.ts'
import { nextLine } from '../model/lines.ts'
import type { Step } from '../model/left.ts'
import { fapiaoNotReversed } from '../problems.ts'
import { findDocument } from '../run/store.ts'
import { leftOnDocument } from '../run/left.ts'
import { chargeStates } from '../run/line-store.ts'
import { liveFapiaosOf } from './store.ts'

/** Every month that there is. */
const ALL = '9999-12'

/**
 * Money may not leave while a tax invoice says that it was earned: whatever was taken back of a document, by a credit note or by a
 * correction that the next run will credit, its tax invoice must have been reversed (and asked for anew) first. The roll-up must be up
 * to date. Throws `fapiao_not_reversed`.
 */
export async function assertNoneOverstated(tx: Transaction, tenant: string): Promise<void> {
  const live = await liveFapiaosOf(tx, tenant)
  if (live.length === 0) return
  const coming = await comingSteps(tx, tenant)
  for (const { document: id, request } of live) {
    const lines = await leftOnDocument(tx, id, coming)
    const leftFen = lines.reduce((sum, { grossFen, grantedFen }) => sum + grossFen - grantedFen, 0n)
    const saysFen = parseFen(request.totals.gross)
    if (saysFen <= leftFen) continue
    const document = await findDocument(tx, id)
    throw fapiaoNotReversed({ document: document?.number ?? id, saysFen: `${saysFen}`, leftFen: `${leftFen}` })
  }
}

/** What the next run would bill or credit. */
async function comingSteps(tx: Transaction, tenant: string): Promise<Step[]> {
  return (await chargeStates(tx, tenant, ALL)).flatMap(({ charge, sums, billed }) => {
    const line = billed && nextLine(charge, sums, billed)
    return line ? [{ ...line, charge: charge.id, document: '', position: 0 }] : []
  })
}

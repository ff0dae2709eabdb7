import type { BillingDeps } from '../deps.ts'
import { dunningStage } from '../model/states.ts'
import type { DunningStage } from '../model/states.ts'
import { findDocument, insertEvent, lockAccount } from '../run/store.ts'
import { overdueDocuments, setDunning } from './store.ts'

/** The worst that holds for a tenant, and since when it has owed that money. */
export interface Arrears {
  readonly tenant: string
  readonly stage: DunningStage
  readonly sinceMs: number
}

/**
 * Moves what is overdue to the stage of its age, and says who is in arrears: whoever decides about service (grace, restricted,
 * suspended) starts from this. Running it again changes nothing.
 */
export async function dun(deps: BillingDeps): Promise<readonly Arrears[]> {
  const nowMs = deps.clock.nowMs()
  const worst = new Map<string, Arrears>()
  for (const { id, tenant, dueAtMs, dunning } of await overdueDocuments(deps.database, nowMs)) {
    const stage = dunningStage(dueAtMs, nowMs)
    const known = worst.get(tenant)
    if (!known || dueAtMs < known.sinceMs) worst.set(tenant, { tenant, stage, sinceMs: dueAtMs })
    if (stage === dunning || stage === 'none') continue
    await deps.database.transaction(async (tx) => {
      await lockAccount(tx, tenant)
      const document = await findDocument(tx, id)
      if (document?.state !== 'sent' && document?.state !== 'partiallyPaid') return
      if (document.dunning === stage) return
      await setDunning(tx, id, stage)
      await insertEvent(tx, { document: id, atMs: nowMs, what: stage, by: 'dunning', note: null })
      await deps.arrears?.setOverdue(tx, { tenant, kind: 'invoice', reference: id, sinceMs: dueAtMs, by: 'dunning' })
    })
  }
  return [...worst.values()]
}

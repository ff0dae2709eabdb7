import type { Transaction } from '#platform/postgres'
import type { BillingDeps } from '../deps.ts'
import { isIssued } from '../model/states.ts'
import { fapiaoExists, fapiaoState, notInvoiceable, unknownDocument } from '../problems.ts'
import type { Document } from '../run/model.ts'
import { documentId } from '../run/model.ts'
import { findDocument, insertEvent, lockAccount } from '../run/store.ts'
import { leftOnDocument } from '../run/left.ts'
import { buyerOf, sellerOf } from '../run/parties.ts'
import { fapiaoMayBecome, fapiaoRequest, flawOfRequest, invoiceable, isLive } from './model.ts'
import type { FapiaoKind, FapiaoState } from './model.ts'
import { fapiaosOf, insertFapiao, stepFapiao } from './store.ts'
import type { Fapiao } from './store.ts'

/**
 * Asks for a document's tax invoice: for what credit notes have left of it, between the parties as they are known now, because a wrong
 * tax number is the usual reason for a refusal. What was refused stays on file, and is asked for anew under an id of its own. The wish is written down before the platform is asked, so that a lost answer is asked for
 * again under the same id. Throws `unknown_document`, `no_fapiao_possible`, `fapiao_exists`.
 */
export async function requestFapiao(
  deps: BillingDeps,
  { document: id, kind, by }: { document: string; kind: FapiaoKind; by: string },
): Promise<Fapiao> {
  const made = await deps.database.transaction(async (tx) => {
    const document = await locked(tx, id)
    const before = await fapiaosOf(tx, document.id)
    const last = before.at(-1)
    if (last && isLive(last)) throw fapiaoExists({ document: id, state: last.state })
    return inserted(tx, deps, { document, kind, by, nth: before.length + 1 })
  })
  return advanceFapiao(deps, { document: made.document })
}

async function locked(tx: Transaction, id: string): Promise<Document> {
  const known = await findDocument(tx, id)
  if (!known) throw unknownDocument({ id })
  await lockAccount(tx, known.tenant)
  return (await findDocument(tx, known.id)) ?? known
}

async function inserted(
  tx: Transaction,
  deps: BillingDeps,
  { document, kind, by, nth }: { document: Document; kind: FapiaoKind; by: string; nth: number },
): Promise<Fapiao> {
  const refuse = (reason: string) => notInvoiceable({ document: document.number ?? document.id, reason })
  if (!isIssued(document.state)) throw refuse('it is not issued')
  if (document.kind === 'credit_note') throw refuse('a credit note reverses the tax invoice of what it corrects')
  const lines = (await leftOnDocument(tx, document.id)).map(invoiceable)
  const parties = { seller: await sellerOf(tx), buyer: await buyerOf(tx, deps, document.tenant) }
  const fapiaoId = documentId('fapiao', document.id, nth).replace('doc_', `fp_${nth.toString().padStart(3, '0')}_`)
  const request = fapiaoRequest({ document: { ...document, ...parties }, lines, kind }, fapiaoId)
  const flaw = flawOfRequest(request)
  if (flaw !== undefined) throw refuse(flaw)
  const atMs = deps.clock.nowMs()
  await insertFapiao(tx, { id: fapiaoId, document: document.id, kind, request, atMs })
  await insertEvent(tx, { document: document.id, atMs, what: 'fapiao requested', by, note: kind })
  return theOnly(tx, document.id)
}

async function theOnly(tx: Transaction, document: string): Promise<Fapiao> {
  const last = (await fapiaosOf(tx, document)).at(-1)
  if (!last) throw unknownDocument({ id: document })
  return last
}

/** Asks for the reversal of an issued tax invoice. Throws `unknown_document`, `fapiao_state`. */
export async function reverseFapiao(
  deps: BillingDeps,
  { document: id, reason, by }: { document: string; reason: string; by: string },
): Promise<Fapiao> {
  const last = await current(deps, id)
  if (last?.state !== 'issued' || last.number === null)
    throw fapiaoState({ document: id, state: last?.state ?? 'none' })
  const reply = await deps.fapiao.requestRed({ requestId: last.id, number: last.number, reason })
  if (reply.outcome !== 'requested') throw fapiaoState({ document: id, state: `issued, and ${reply.reason}` })
  await deps.database.transaction(async (tx) => {
    await take(tx, deps, last, { state: 'redRequested', redConfirmation: reply.confirmation })
    const atMs = deps.clock.nowMs()
    await insertEvent(tx, { document: last.document, atMs, what: 'fapiao reversal requested', by, note: reason })
  })
  return advanceFapiao(deps, { document: last.document })
}

/** Asks the platform about what is under way, step by step, until it has to wait for somebody. Throws `unknown_document`, `fapiao_state`. */
export async function advanceFapiao(deps: BillingDeps, { document: id }: { document: string }): Promise<Fapiao> {
  for (;;) {
    const last = await current(deps, id)
    if (!last) throw fapiaoState({ document: id, state: 'none' })
    const next = await stepOf(deps, last)
    if (!next) return last
    await deps.database.transaction((tx) => take(tx, deps, last, next))
  }
}

type Step = Partial<Pick<Fapiao, 'number' | 'redConfirmation' | 'redNumber' | 'failure'>> & {
  readonly state: FapiaoState
}

async function stepOf({ fapiao }: BillingDeps, last: Fapiao): Promise<Step | undefined> {
  if (last.state === 'requested') {
    const reply = await fapiao.issue(last.request)
    if (reply.outcome === 'issued') return { state: 'issued', number: reply.number }
    return reply.outcome === 'refused' ? { state: 'failed', failure: reply.reason } : undefined
  }
  if (last.redConfirmation === null) return undefined
  if (last.state === 'redRequested') {
    const reply = await fapiao.redStatus(last.redConfirmation)
    return reply.outcome === 'confirmed' ? { state: 'redConfirmed' } : undefined
  }
  if (last.state !== 'redConfirmed') return undefined
  const reply = await fapiao.issueRed(last.redConfirmation)
  return reply.outcome === 'issued' ? { state: 'redIssued', redNumber: reply.number } : undefined
}

async function current(deps: BillingDeps, id: string): Promise<Fapiao | undefined> {
  const document = await findDocument(deps.database, id)
  if (!document) throw unknownDocument({ id })
  return (await fapiaosOf(deps.database, document.id)).at(-1)
}

/** Takes one legal step; somebody who was first has taken the same. */
async function take(tx: Transaction, deps: BillingDeps, last: Fapiao, step: Step): Promise<void> {
  if (!fapiaoMayBecome(last.state, step.state)) throw fapiaoState({ document: last.document, state: last.state })
  const { id, number, redConfirmation, redNumber, failure } = last
  const atMs = deps.clock.nowMs()
  const known = { id, number, redConfirmation, redNumber, failure }
  if (!(await stepFapiao(tx, { ...known, ...step, from: last.state, atMs }))) return
  const note = step.number ?? step.redNumber ?? step.failure ?? null
  await insertEvent(tx, { document: last.document, atMs, what: `fapiao ${step.state}`, by: 'tax platform', note })
}

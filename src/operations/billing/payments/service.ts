import { fenToPico } from '#kernel'
import { postingId } from '#ledger'
import type { Transaction } from '#platform/postgres'
import type { BillingDeps } from '../deps.ts'
import { allocate } from '../model/allocate.ts'
import { paymentEntries } from '../model/postings.ts'
import { invalidAmount, paymentReused, unknownDocument, wrongState } from '../problems.ts'
import { cover } from '../run/issue.ts'
import type { Document } from '../run/model.ts'
import { findDocument, insertAllocations, lockAccount, openDocuments } from '../run/store.ts'
import { findPayment, insertPayment } from './store.ts'
import type { Payment } from './store.ts'

/** Larger than any payment that is no mistake: a hundred billion yuan. */
const MOST_FEN = 10n ** 13n

export interface PaymentRequest {
  /** The payment's id at the bank. Booking it again books nothing. */
  readonly reference: string
  readonly tenant: string
  readonly amountFen: bigint
  /** Id or number of what it is for; left out, whatever is due first. */
  readonly document?: string
  readonly by: string
}

/**
 * Books money that arrived: on the document that it names, else on what is due first. What no document needs goes into the
 * wallet as a paid lot. All of it in one transaction, once per reference. Throws `payment_reused`, `invalid_amount`,
 * `unknown_document`, `document_state`.
 */
export async function pay(deps: BillingDeps, request: PaymentRequest): Promise<{ payment: Payment; booked: boolean }> {
  const { amountFen } = request
  if (amountFen <= 0n || amountFen > MOST_FEN) throw invalidAmount({ amount: `${amountFen} fen` })
  return deps.database.transaction(async (tx) => {
    await lockAccount(tx, request.tenant)
    const before = await findPayment(tx, request.reference)
    if (before) return { payment: await repeated(tx, before, request), booked: false }
    return { payment: await book(tx, deps, request), booked: true }
  })
}

async function book(tx: Transaction, deps: BillingDeps, request: PaymentRequest): Promise<Payment> {
  const { reference, tenant, amountFen, by } = request
  const nowMs = deps.clock.nowMs()
  const named = request.document === undefined ? undefined : await payable(tx, tenant, request.document)
  const open = named ? [named] : (await openDocuments(tx, tenant)).filter((document) => document.dueFen > 0n)
  const { parts, restFen } = allocate(
    amountFen,
    open.map((document) => ({ id: document.id, openFen: document.dueFen - document.coveredFen })),
  )
  const key = `payment:${reference}`
  const payment = {
    ...{ reference, tenant, amountFen, restFen, document: named?.id ?? null },
    ...{ postingId: parts.length > 0 ? postingId(key) : null, bookedAtMs: nowMs, bookedBy: by },
  }
  // Another tenant's transaction may have used the reference since we looked.
  if (!(await insertPayment(tx, payment))) throw paymentReused({ reference })
  await insertAllocations(tx, key, parts, nowMs)
  for (const { document, fen } of parts)
    await cover(tx, deps, { document: open.find(({ id }) => id === document), fen, by, nowMs })
  const { charging } = deps
  // All of the account: a receivable that moves after the overpayment's posting must find everything locked.
  await charging.lockAccounts(tx, [{ tenant }])
  if (restFen > 0n)
    await charging.topupIn(tx, { tenant, amountPico: fenToPico(restFen), reference: `overpayment:${reference}` })
  if (parts.length > 0)
    await charging.postReceivable(tx, {
      ...{ key, kind: 'payment', memo: `payment ${reference}`, bookedAtMs: nowMs, evidence: null, facts: parts.length },
      entries: paymentEntries(tenant, amountFen - restFen),
    })
  return payment
}

async function payable(tx: Transaction, tenant: string, id: string): Promise<Document> {
  const document = await findDocument(tx, id)
  if (document?.tenant !== tenant) throw unknownDocument({ id })
  const { state } = document
  if (state === 'sent' || state === 'partiallyPaid' || state === 'settled') return document
  throw wrongState({ id, state, wanted: 'settled' })
}

async function repeated(tx: Transaction, before: Payment, request: PaymentRequest): Promise<Payment> {
  const named = request.document === undefined ? undefined : await findDocument(tx, request.document)
  const isSame =
    before.tenant === request.tenant &&
    before.amountFen === request.amountFen &&
    before.document === (request.document === undefined ? null : (named?.id ?? request.document))
  if (!isSame) throw paymentReused({ reference: request.reference })
  return before
}

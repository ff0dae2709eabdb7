import { periodAt } from '#kernel'
import type { Transaction } from '#platform/postgres'
import type { BillingDeps } from '../deps.ts'
import { totalsOf } from '../model/lines.ts'
import { isIssued } from '../model/states.ts'
import { creditAboveDue, creditReused, invalidAmount, unknownDocument, unknownLine, wrongState } from '../problems.ts'
import { issueIn } from '../run/issue.ts'
import { documentId } from '../run/model.ts'
import type { Document } from '../run/model.ts'
import { findDocument, insertDocument, insertEvent, lockAccount, setState } from '../run/store.ts'
import { leftOnDocument } from '../run/left.ts'
import type { LineLeft } from '../run/left.ts'
import { creditLine, insertCreditLines, linesOf } from '../run/line-store.ts'
import type { CreditLine } from '../run/line-store.ts'

export interface CreditRequest {
  /** Granting a credit again under its reference grants nothing. */
  readonly reference: string
  /** Id or number of the invoice. */
  readonly document: string
  /** Left out: all that is left of every line, which voids the invoice. */
  readonly lines?: readonly { readonly position: number; readonly grossFen: bigint }[]
  readonly reason: string
  readonly by: string
}

/**
 * Credits an issued invoice by a credit note with its own number, line by line and never above what the line asks for. Throws
 * `unknown_document`, `document_state`, `unknown_line`, `credit_above_due`, `credit_reused`, `invalid_amount`.
 */
export async function credit(
  deps: BillingDeps,
  request: CreditRequest,
): Promise<{ document: Document; made: boolean }> {
  return deps.database.transaction(async (tx) => {
    const original = await findDocument(tx, request.document)
    if (!original) throw unknownDocument({ id: request.document })
    await lockAccount(tx, original.tenant)
    const id = documentId('credit', original.id, request.reference)
    const before = await findDocument(tx, id)
    if (before) return { document: await repeated(tx, before, request), made: false }
    if (!isIssued(original.state) || original.kind === 'credit_note')
      throw wrongState({ id: original.id, state: original.state, wanted: 'credited' })
    const lines = await creditLines(tx, original, request)
    return { document: await file(tx, deps, { id, original, lines, request }), made: true }
  })
}

async function creditLines(tx: Transaction, original: Document, request: CreditRequest): Promise<CreditLine[]> {
  const filed = await leftOnDocument(tx, original.id)
  const creditable = ({ dueFen, grantedFen }: LineLeft) => dueFen - grantedFen
  const wanted =
    request.lines ??
    filed.flatMap((each) =>
      creditable(each) > 0n ? [{ position: each.line.position, grossFen: creditable(each) }] : [],
    )
  const positions = new Set(wanted.map(({ position }) => position))
  if (wanted.length === 0 || positions.size < wanted.length) throw invalidAmount({ amount: '0' })
  return wanted.map(({ position, grossFen }) => {
    const found = filed.find(({ line }) => line.position === position)
    if (!found) throw unknownLine({ id: original.id, position })
    if (grossFen <= 0n) throw invalidAmount({ amount: `${grossFen} fen` })
    const left = creditable(found)
    if (grossFen > left) throw creditAboveDue({ id: original.number ?? original.id, position, leftFen: `${left}` })
    return creditLine(found.line, -grossFen)
  })
}

async function file(
  tx: Transaction,
  deps: BillingDeps,
  made: { id: string; original: Document; lines: readonly CreditLine[]; request: CreditRequest },
): Promise<Document> {
  const { id, original, lines, request } = made
  const nowMs = deps.clock.nowMs()
  const { tenant, seller, buyer } = original
  await insertDocument(tx, {
    ...{ id, kind: 'credit_note', tenant, seller, buyer, state: 'new', ...totalsOf(lines), coveredFen: 0n },
    ...{ period: periodAt('month', nowMs).key, corrects: original.id, reason: request.reason, number: null },
    ...{ postingId: null, createdAtMs: nowMs, issuedAtMs: null, dueAtMs: null, dunning: 'none' },
  })
  await insertCreditLines(tx, id, lines)
  await setState(tx, id, 'validated')
  await insertEvent(tx, { document: id, atMs: nowMs, what: 'validated', by: request.by, note: request.reference })
  await issueIn(tx, deps, { ids: [id], by: request.by, nowMs })
  const document = await findDocument(tx, id)
  if (!document) throw unknownDocument({ id })
  return document
}

async function repeated(tx: Transaction, before: Document, request: CreditRequest): Promise<Document> {
  const lines = await linesOf(tx, before.id)
  const isSame =
    before.reason === request.reason &&
    (request.lines === undefined ||
      (request.lines.length === lines.length &&
        request.lines.every(({ position, grossFen }) =>
          lines.some((line) => line.credits?.position === position && line.grossFen === -grossFen),
        )))
  if (!isSame) throw creditReused({ reference: request.reference })
  return before
}

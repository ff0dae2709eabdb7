import { chinaDate, DAY_MS } from '#kernel'
import { evidenceOf, postingId } from '#ledger'
import type { Transaction } from '#platform/postgres'
import { hash } from 'node:crypto'
import type { BillingDeps } from '../deps.ts'
import { allocate } from '../model/allocate.ts'
import { documentNumber, seriesOf } from '../model/number.ts'
import { documentEntries } from '../model/postings.ts'
import { mayBecome, settlementState } from '../model/states.ts'
import type { DocumentState } from '../model/states.ts'
import { unknownDocument, wrongState } from '../problems.ts'
import type { Document } from './model.ts'
import {
  findDocument,
  insertAllocations,
  insertEvent,
  lockAccount,
  nextSequence,
  numberDocument,
  openDocuments,
  setCovered,
  setState,
} from './store.ts'
import { chargeLinesOf, linesOf } from './line-store.ts'

interface Issue {
  /** Of one tenant. */
  readonly ids: readonly string[]
  readonly by: string
  readonly nowMs: number
}

/**
 * Gives validated documents their numbers and books them; the account is locked. What is open on them is at once set against credit
 * notes with something left on them, and the other way round, so that nobody is asked for what they are owed. Everything that others
 * may hold is taken before the first posting, whose lock everybody waits for: a second series, or a desk, taken after it could be held
 * by somebody who waits for us.
 */
export async function issueIn(
  tx: Transaction,
  deps: Pick<BillingDeps, 'charging' | 'arrears'>,
  { ids, by, nowMs }: Issue,
): Promise<void> {
  const documents = await Promise.all(ids.map((id) => validated(tx, id)))
  const numbered: { document: Document; number: string }[] = []
  for (const document of documents.toSorted(bySeries))
    numbered.push({ document, number: await numberIn(tx, document, { by, nowMs }) })
  for (const tenant of new Set(documents.map((document) => document.tenant)))
    await setOff(tx, deps, { tenant, by, nowMs })
  for (const { document, number } of numbered) {
    const { id, kind } = document
    const posting = await entriesOf(tx, document)
    await deps.charging.postReceivable(tx, { key: keyOf(id), kind, memo: number, bookedAtMs: nowMs, ...posting })
  }
}

function bySeries(a: Document, b: Document): number {
  const [one, other] = [seriesOf(a.kind), seriesOf(b.kind)]
  return one < other ? -1 : Number(one > other)
}

const keyOf = (document: string): string => `document:${document}`

async function validated(tx: Transaction, id: string): Promise<Document> {
  const document = await findDocument(tx, id)
  if (!document) throw unknownDocument({ id })
  if (document.state !== 'validated') throw wrongState({ id, state: document.state, wanted: 'sent' })
  return document
}

async function numberIn(
  tx: Transaction,
  document: Document,
  { by, nowMs }: { by: string; nowMs: number },
): Promise<string> {
  const { id, kind, dueFen, buyer } = document
  const year = Number(chinaDate(nowMs).slice(0, 4))
  const series = seriesOf(kind)
  const sequence = await nextSequence(tx, series, year)
  const number = documentNumber(series, year, sequence)
  const state = settlementState(dueFen < 0n ? -dueFen : dueFen, 0n)
  await numberDocument(tx, {
    ...{ id, state, series, year, sequence, number, dueAtMs: nowMs + buyer.termsDays * DAY_MS },
    issuedAtMs: nowMs,
    postingId: postingId(keyOf(id)),
  })
  await insertEvent(tx, { document: id, atMs: nowMs, what: 'sent', by, note: number })
  return number
}

async function entriesOf(tx: Transaction, document: Document) {
  const steps = await chargeLinesOf(tx, document.id)
  const filed = await linesOf(tx, document.id)
  const credits = filed.filter(({ charge }) => charge === null)
  const evidence = evidenceOf(filed.map((line) => hash('sha256', lineText(line), 'hex')))
  return {
    entries: documentEntries(document.tenant, { steps, credits }),
    evidence,
    facts: filed.length,
  }
}

/** What a line says, in one text: the evidence that its posting was made from this line and no other. */
function lineText(line: Awaited<ReturnType<typeof linesOf>>[number]): string {
  const { document, position, charge, revision, credits, grossFen, netFen, taxFen, dueFen } = line
  const amounts = [grossFen, netFen, taxFen, dueFen].map(String)
  return JSON.stringify([document, position, charge, revision, credits, ...amounts])
}

/** Sets credit notes with something left against open invoices, each the oldest first. Both are in account 1100, so nothing is posted. */
async function setOff(
  tx: Transaction,
  deps: Pick<BillingDeps, 'arrears'>,
  { tenant, by, nowMs }: { tenant: string; by: string; nowMs: number },
): Promise<void> {
  const open = await openDocuments(tx, tenant)
  const left = new Map(open.map((document) => [document.id, document]))
  for (const credit of open.filter((document) => document.dueFen < 0n)) {
    const invoices = [...left.values()].filter((document) => document.dueFen > 0n)
    const first = invoices.filter((document) => document.id === credit.corrects)
    const others = invoices.filter((document) => document.id !== credit.corrects)
    const wanted = [...first, ...others].map((document) => ({
      id: document.id,
      openFen: document.dueFen - document.coveredFen,
    }))
    const { parts, restFen } = allocate(-credit.dueFen - credit.coveredFen, wanted)
    if (parts.length === 0) continue
    await insertAllocations(tx, `credit:${credit.id}`, parts, nowMs)
    for (const { document, fen } of parts)
      left.set(document, await cover(tx, deps, { document: left.get(document), fen, by, nowMs }))
    const used = -credit.dueFen - restFen - credit.coveredFen
    await cover(tx, deps, { document: credit, fen: used, by, nowMs })
  }
}

/** Counts an amount against a document that is open by at least as much. */
export async function cover(
  tx: Transaction,
  { arrears }: Pick<BillingDeps, 'arrears'>,
  { document, fen, by, nowMs }: { document: Document | undefined; fen: bigint; by: string; nowMs: number },
): Promise<Document> {
  if (!document) throw new Error('nothing to cover')
  const coveredFen = document.coveredFen + fen
  const due = document.dueFen < 0n ? -document.dueFen : document.dueFen
  const state = settlementState(due, coveredFen)
  await setCovered(tx, document.id, { fen: coveredFen, state })
  if (state !== document.state)
    await insertEvent(tx, { document: document.id, atMs: nowMs, what: state, by, note: null })
  if (state === 'settled' && document.dunning !== 'none')
    await arrears?.clear(tx, { tenant: document.tenant, kind: 'invoice', reference: document.id, by })
  return { ...document, coveredFen, state }
}

/** Takes a document back from hold and issues it, or holds one that is not issued. Throws `unknown_document`, `document_state`. */
export async function decide(
  deps: BillingDeps,
  { id, wanted, by }: { id: string; wanted: 'sent' | 'onHold'; by: string },
): Promise<Document> {
  return deps.database.transaction(async (tx) => {
    const known = await findDocument(tx, id)
    if (!known) throw unknownDocument({ id })
    await lockAccount(tx, known.tenant)
    const document = await findDocument(tx, id)
    if (!document) throw unknownDocument({ id })
    const nowMs = deps.clock.nowMs()
    if (wanted === 'sent' && document.state === 'onHold') {
      await step(tx, document, 'validated')
      await issueIn(tx, deps, { ids: [document.id], by, nowMs })
    } else {
      await step(tx, document, wanted)
      await insertEvent(tx, { document: document.id, atMs: nowMs, what: wanted, by, note: null })
    }
    return (await findDocument(tx, document.id)) ?? document
  })
}

async function step(tx: Transaction, { id, state }: Document, wanted: DocumentState): Promise<void> {
  if (wanted === 'sent' || !mayBecome(state, wanted)) throw wrongState({ id, state, wanted })
  await setState(tx, id, wanted)
}

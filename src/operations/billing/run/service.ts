import { Problem, periodAt, periodOfKey } from '#kernel'
import type { Period } from '#kernel'
import type { Transaction } from '#platform/postgres'
import type { BillingDeps } from '../deps.ts'
import { amountsOf, isResidue, nextLine, sortLines, totalsOf } from '../model/lines.ts'
import type { Line } from '../model/lines.ts'
import { doubleBilling, invalidPeriod, periodOpen, residueTooLarge } from '../problems.ts'
import { rollUp } from '../rollup/service.ts'
import { issueIn } from './issue.ts'
import { documentId, kindOf } from './model.ts'
import type { Document } from './model.ts'
import { buyerOf, sellerOf } from './parties.ts'
import {
  documentOfPeriod,
  findDocument,
  holdProgress,
  insertDocument,
  insertEvent,
  lockAccount,
  setState,
} from './store.ts'
import { leftOnDocument } from './left.ts'
import { chargeStates, creditLine, insertCreditLines, insertLines, stepsOf, tenantsWithCharges } from './line-store.ts'
import type { ChargeState, CreditLine } from './line-store.ts'

export interface RunRequest {
  /** A month that is over; left out, the last one. */
  readonly period?: string
  /** Left out: every tenant. */
  readonly tenant?: string
  /** Holds what it makes back for review instead of issuing it. */
  readonly hold?: boolean
  readonly by: string
}

export interface RunResult {
  readonly period: string
  /** What this run made; nothing on a repetition. */
  readonly documents: readonly Document[]
  /** Tenants whose run failed, and why; the others are done. */
  readonly failures: readonly { readonly tenant: string; readonly code: string; readonly detail: string }[]
}

/**
 * The monthly run: one document per tenant for the month, with what came late for earlier months, and credit notes for what
 * corrections took back. Each tenant is one transaction, so a failure concerns nobody else and running again does the rest.
 */
export async function run(deps: BillingDeps, request: RunRequest): Promise<RunResult> {
  const period = closedPeriod(request.period, deps.clock.nowMs())
  await rollUp(deps.database, deps.taxOf)
  const tenants = request.tenant === undefined ? await tenantsWithCharges(deps.database, period.key) : [request.tenant]
  const documents: Document[] = []
  const failures: { tenant: string; code: string; detail: string }[] = []
  for (const tenant of tenants) {
    try {
      documents.push(...(await deps.database.transaction((tx) => runTenant(tx, deps, { ...request, tenant, period }))))
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      failures.push({ tenant, code: error.type.code, detail: error.message })
    }
  }
  return { period: period.key, documents, failures }
}

export function closedPeriod(key: string | undefined, nowMs: number): Period {
  const period = key === undefined ? periodAt('month', periodAt('month', nowMs).fromMs - 1) : periodOfKey('month', key)
  if (!period) throw invalidPeriod({ period: (key ?? '').slice(0, 20) })
  if (period.toMs > nowMs) throw periodOpen({ period: period.key })
  return period
}

interface TenantRun {
  readonly tenant: string
  readonly period: Period
  readonly hold?: boolean
  readonly by: string
}

async function runTenant(
  tx: Transaction,
  deps: BillingDeps,
  { tenant, period, hold, by }: TenantRun,
): Promise<Document[]> {
  await lockAccount(tx, tenant)
  const toSeq = await holdProgress(tx)
  const states = await chargeStates(tx, tenant, period.key)
  assertSingle(tenant, states)
  const lines = states.flatMap((state) => {
    const line = nextLine(state.charge, state.sums, state.billed)
    return line ? [{ ...line, fromSeq: state.billed?.toSeq ?? 0, toSeq, before: state.billed?.document }] : []
  })
  for (const { charge, to } of lines)
    if (!isResidue(to, charge.taxPercent)) throw residueTooLarge({ charge: charge.id })
  const { billed, credited } = sortLines(lines) as { billed: typeof lines; credited: typeof lines }
  const nowMs = deps.clock.nowMs()
  const made: string[] = []
  const file = async (own: Pick<Document, 'id' | 'kind' | 'period' | 'corrects' | 'reason'>, part: typeof lines) => {
    const parties = { seller: await sellerOf(tx), buyer: await buyerOf(tx, deps, tenant) }
    const backs = own.kind === 'credit_note' ? await creditTakenBack(tx, own.id, part) : []
    const total = { ...totalsOf([...part, ...backs]), coveredFen: 0n }
    const issue = { number: null, postingId: null, issuedAtMs: null, dueAtMs: null, dunning: 'none' } as const
    await insertDocument(tx, { ...own, tenant, state: 'new', ...parties, ...total, ...issue, createdAtMs: nowMs })
    await insertLines(tx, own.id, part)
    if (backs.length > 0) await insertCreditLines(tx, own.id, backs, part.length)
    await setState(tx, own.id, 'validated')
    await insertEvent(tx, { document: own.id, atMs: nowMs, what: 'validated', by, note: null })
    if (hold) {
      await setState(tx, own.id, 'onHold')
      await insertEvent(tx, { document: own.id, atMs: nowMs, what: 'onHold', by, note: null })
    }
    made.push(own.id)
  }
  // A month that was invoiced is never reopened: what came later is billed with the next one.
  if (billed.length > 0 && !(await documentOfPeriod(tx, tenant, period.key))) {
    const own = {
      id: documentId(tenant, period.key),
      kind: kindOf(billed),
      period: period.key,
      corrects: null,
      reason: null,
    }
    await file(own, billed)
  }
  for (const [corrects = '', part] of Map.groupBy(credited, (line) => line.before)) {
    const original = await findDocument(tx, corrects)
    const id = documentId('correction', corrects, ...part.flatMap(({ charge, revision }) => [charge.id, revision]))
    const reason = 'usage corrected'
    await file({ id, kind: 'credit_note', period: original?.period ?? period.key, corrects, reason }, part)
  }
  if (!hold) await issueIn(tx, deps, { ids: made, by, nowMs })
  const found = await Promise.all(made.map((id) => findDocument(tx, id)))
  return found.flatMap((document) => (document ? [document] : []))
}

/**
 * Corrections take back usage that an operator may have credited before, out of kindness or for the same mistake. A line is never
 * credited by more than it asked for, so what the two are above it together is taken back of the operator's credit.
 */
async function creditTakenBack(tx: Transaction, id: string, part: readonly Line[]): Promise<CreditLine[]> {
  const charges = part.map(({ charge }) => charge.id)
  const coming = part.map((line, index) => ({ ...line, document: id, position: index + 1, charge: line.charge.id }))
  const documents = new Set((await stepsOf(tx, charges)).map(({ document }) => document))
  const backs: CreditLine[] = []
  for (const document of documents)
    for (const { line, dueFen, grantedFen } of await leftOnDocument(tx, document, coming))
      if (grantedFen > dueFen && charges.includes(line.charge ?? '')) backs.push(creditLine(line, grantedFen - dueFen))
  return backs
}

/**
 * Refuses to issue anything to a tenant whose documents do not say exactly what was billed: each charge's lines are one chain
 * of steps, and they sum to the rounded sum that the last one ends at. The database's constraints say the same; this would
 * notice if somebody had gone around them.
 */
function assertSingle(tenant: string, states: readonly ChargeState[]): void {
  const wrong = states.filter(({ charge, billed }) => {
    if (!billed) return false
    const said = amountsOf(billed.sums, charge.taxPercent)
    const isWhole = billed.lines === billed.revision
    return (
      !isWhole || said.grossFen !== billed.grossFen || said.netFen !== billed.netFen || said.dueFen !== billed.dueFen
    )
  })
  if (wrong.length > 0) throw doubleBilling({ tenant, charges: wrong.slice(0, 5).map(({ charge }) => charge.id) })
}

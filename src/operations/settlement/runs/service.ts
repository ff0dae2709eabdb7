import type { RunState } from '#contract'
import { balances, evidenceOf, post, postingId } from '#ledger'
import type { Queryable, Transaction } from '#platform/postgres'
import { hash } from 'node:crypto'
import type { SettlementDeps } from '../deps.ts'
import { insertEvents } from '../event-store.ts'
import { claimedUsage } from '../matching/claim-store.ts'
import { figuresOf, paymentEntries, settlementEntries, writeFigures } from '../model/figures.ts'
import type { Figures } from '../model/figures.ts'
import { runMay } from '../model/states.ts'
import {
  nothingToSettle,
  payeeMissing,
  paymentReferenceUsed,
  samePerson,
  settlementStale,
  settlementState,
  unknownRun,
} from '../problems.ts'
import { held, step as stepStatement } from '../statements/states.ts'
import { findPayee, lockSupplier } from '../statements/store.ts'
import type { Statement } from '../statements/store.ts'
import { applyPenalties, penaltiesFor } from './penalty-store.ts'
import {
  changeRun,
  decidedSums,
  endedDisputes,
  findRun,
  insertRun,
  markDisputes,
  runOfPayment,
  runsOf,
} from './store.ts'
import type { Run, RunChange } from './store.ts'

interface Ask {
  readonly id: string
  readonly by: string
  readonly note?: string | undefined
}

export const settlementKey = (run: string): string => `settlement:${run}`
const paymentKey = (run: string): string => `settlement:${run}:paid`

/**
 * Computes what a statement that is agreed comes to: the first time all of it, later what disputes came to that ended since. Asking
 * again for what is computed and not posted computes it again; for what is posted it changes nothing.
 */
export async function plan(
  deps: SettlementDeps,
  { statement: id, by }: { statement: string; by: string },
): Promise<Run> {
  const nowMs = deps.clock.nowMs()
  return deps.database.transaction(async (tx) => {
    const statement = await held(tx, id)
    const [latest] = await runsOf(tx, id)
    if (latest && latest.postingId === null) return compute(tx, latest, { statement, by, nowMs })
    if (!latest && statement.state !== 'agreed')
      throw settlementState({ id, state: statement.state, wanted: 'approved' })
    if (latest && (await endedDisputes(tx, id, null)).count === 0) throw nothingToSettle({ statement: id })
    const version = (latest?.version ?? 0) + 1
    const { supplier, period } = statement
    const run = { id: `sr-${supplier}-${period}-${version}`, supplier, period, version, statement: id }
    await insertRun(tx, { ...run, proposedBy: by, createdAtMs: nowMs })
    await event(tx, run.id, { was: null, becomes: 'planned', by, nowMs })
    return compute(tx, await found(tx, run.id), { statement, by, nowMs })
  })
}

interface Computing {
  readonly statement: Statement
  readonly by: string
  readonly nowMs: number
}

async function compute(tx: Transaction, run: Run, { statement, by, nowMs }: Computing): Promise<Run> {
  let current = run
  if (run.state === 'planned') current = await step(tx, run, { state: 'collecting' }, { by, nowMs })
  else if (run.state === 'computed') return run
  const figures = await collect(tx, current, statement)
  return step(tx, current, { state: 'computed', figures, reviewedBy: null }, { by, nowMs })
}

/** From what is in the database now; nothing of it is kept but in the result. */
export async function collect(db: Queryable, run: Run, statement: Statement): Promise<Figures> {
  const isPosted = run.postingId !== null
  const taken = await penaltiesFor(db, { ...run, run: isPosted ? run.id : null })
  const penaltyFen = fenOf(taken.filter(({ kind }) => kind !== 'audit'))
  const recountFen = fenOf(taken.filter(({ kind }) => kind === 'audit'))
  const rest = {
    ...{ penaltyFen, recountFen, taxPercent: statement.terms?.taxPercent ?? 0 },
    receivablePico: isPosted ? (run.figures?.receivablePico ?? 0n) : await receivable(db, run.supplier),
  }
  if (run.version > 1) {
    const { freedPico, releasedPico, taxAgreedPico } = await endedDisputes(db, statement.id, isPosted ? run.id : null)
    return figuresOf({
      ...rest,
      freedPico,
      releasedPico,
      taxAgreedPico,
      accruedPico: 0n,
      roundingPico: 0n,
      agreedPico: 0n,
      heldPico: 0n,
    })
  }
  const { amountPico: accruedPico } = await claimedUsage(db, statement.id)
  const { impactPico, ...decided } = await decidedSums(db, statement.id)
  const roundingPico = statement.netPico - accruedPico - impactPico
  return figuresOf({ ...rest, ...decided, accruedPico, roundingPico, freedPico: 0n, releasedPico: 0n })
}

function fenOf(penalties: readonly { readonly amountPico: bigint }[]): bigint {
  return penalties.reduce((sum, { amountPico }) => sum + amountPico / 10_000_000_000n, 0n)
}

async function receivable(db: Queryable, supplier: string): Promise<bigint> {
  const account = `1210:${supplier}`
  return (await balances(db, account)).find((each) => each.account === account)?.amountPico ?? 0n
}

/** Somebody other than who proposed it has looked at it. Throws `same_person`. */
export async function review(deps: SettlementDeps, ask: Ask): Promise<Run> {
  return change(deps, ask, async (tx, run, nowMs) => {
    if (run.proposedBy === ask.by) throw samePerson({ by: ask.by })
    return step(tx, run, { state: 'reviewed', reviewedBy: ask.by }, { ...ask, nowMs })
  })
}

/** From here on neither the statement nor what it settles changes. Throws `same_person`, `settlement_stale`. */
export async function approve(deps: SettlementDeps, ask: Ask): Promise<Run> {
  return change(deps, ask, async (tx, run, nowMs) => {
    if (run.proposedBy === ask.by) throw samePerson({ by: ask.by })
    const statement = await held(tx, run.statement)
    await requireFresh(tx, run, statement)
    if (!(await findPayee(tx, run.supplier))) throw payeeMissing({ supplier: run.supplier })
    const approved = await step(tx, run, { state: 'approved', approvedBy: ask.by }, { ...ask, nowMs })
    if (statement.state === 'agreed')
      await stepStatement(tx, statement, 'approved', { by: ask.by, nowMs, note: run.id })
    return approved
  })
}

async function requireFresh(tx: Transaction, run: Run, statement: Statement): Promise<Figures> {
  const figures = await collect(tx, run, statement)
  const text = (one: Figures) =>
    JSON.stringify(Object.entries(writeFigures(one)).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  if (!run.figures || text(figures) !== text(run.figures)) throw settlementStale({ id: run.id })
  return figures
}

/** Computes again what is not approved yet, for whoever found `settlement_stale`; it is then reviewed again. */
export async function recompute(deps: SettlementDeps, ask: Ask): Promise<Run> {
  return change(deps, ask, async (tx, run, nowMs) => {
    if (run.state !== 'computed' && run.state !== 'reviewed' && run.state !== 'failed')
      throw settlementState({ id: run.id, state: run.state, wanted: 'computed' })
    const figures = await collect(tx, run, await held(tx, run.statement))
    await changeRun(tx, run.id, { state: 'computed', figures, reviewedBy: null })
    await event(tx, run.id, { was: run.state, becomes: 'computed', by: ask.by, nowMs })
    return found(tx, run.id)
  })
}

/** Books it, once: posting what is posted answers the same and changes nothing. */
export async function postRun(deps: SettlementDeps, ask: Ask): Promise<Run> {
  return change(deps, ask, async (tx, run, nowMs) => {
    if (run.postingId !== null) return run
    const statement = await held(tx, run.statement)
    const posting = await step(tx, run, { state: 'posting' }, { ...ask, nowMs })
    const figures = await requireFresh(tx, posting, statement)
    const penalties = await penaltiesFor(tx, { ...run, run: null })
    await applyPenalties(
      tx,
      penalties.map(({ id }) => id),
      run.id,
    )
    await markDisputes(tx, run)
    const key = settlementKey(run.id)
    const posted = await step(tx, posting, { state: 'posted', postingId: postingId(key) }, { ...ask, nowMs })
    await post(tx, {
      ...{ key, kind: 'supplier_settlement', memo: run.id, bookedAtMs: nowMs },
      entries: settlementEntries(run.supplier, figures),
      evidence: evidenceOf([hash('sha256', JSON.stringify(writeFigures(figures)), 'hex')]),
      facts: 1,
    })
    return posted
  })
}

/** The bank has paid it; once per reference. Throws `payment_reused`. */
export async function pay(deps: SettlementDeps, { reference, ...ask }: Ask & { reference: string }): Promise<Run> {
  return change(deps, ask, async (tx, run, nowMs) => {
    if (run.paymentReference === reference) return run
    if (await runOfPayment(tx, reference)) throw paymentReferenceUsed({ reference })
    const payableFen = run.figures?.payableFen ?? 0n
    const key = paymentKey(run.id)
    const paid: RunChange = {
      state: 'paid',
      paymentReference: reference,
      ...(payableFen > 0n ? { paymentPostingId: postingId(key) } : {}),
    }
    const done = await step(tx, run, paid, { ...ask, nowMs, note: reference })
    const statement = await held(tx, run.statement)
    if (statement.state === 'approved')
      await stepStatement(tx, statement, 'settled', { by: ask.by, nowMs, note: run.id })
    if (payableFen > 0n)
      await post(tx, {
        ...{ key, kind: 'supplier_payment', memo: `${run.id} ${reference}`, bookedAtMs: nowMs },
        ...{ entries: paymentEntries(run.supplier, payableFen), evidence: null, facts: 1 },
      })
    return done
  })
}

export async function close(deps: SettlementDeps, ask: Ask): Promise<Run> {
  return change(deps, ask, (tx, run, nowMs) => step(tx, run, { state: 'closed' }, { ...ask, nowMs }))
}

async function change(
  deps: SettlementDeps,
  { id }: Ask,
  work: (tx: Transaction, run: Run, nowMs: number) => Promise<Run>,
): Promise<Run> {
  const nowMs = deps.clock.nowMs()
  return deps.database.transaction(async (tx) => {
    const known = await found(tx, id)
    await lockSupplier(tx, known.supplier)
    return work(tx, await found(tx, id), nowMs)
  })
}

async function found(db: Queryable, id: string): Promise<Run> {
  const run = await findRun(db, id)
  if (!run) throw unknownRun({ id: id.slice(0, 120) })
  return run
}

async function step(
  tx: Transaction,
  run: Run,
  change: RunChange,
  { by, nowMs, note }: { by: string; nowMs: number; note?: string | undefined },
): Promise<Run> {
  if (!runMay(run.state, change.state)) throw settlementState({ id: run.id, state: run.state, wanted: change.state })
  await changeRun(tx, run.id, change)
  await event(tx, run.id, { was: run.state, becomes: change.state, by, nowMs, note })
  return found(tx, run.id)
}

async function event(
  tx: Transaction,
  subject: string,
  {
    was,
    becomes,
    by,
    nowMs,
    note,
  }: { was: RunState | null; becomes: RunState; by: string; nowMs: number; note?: string | undefined },
): Promise<void> {
  await insertEvents(tx, [{ subject, atMs: nowMs, was, becomes, by, note: note ?? null, number: null }])
}

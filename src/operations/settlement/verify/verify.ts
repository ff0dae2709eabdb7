import type { VerifyReply } from '#contract'
import { periodOfKey } from '#kernel'
import { balanced, chain, findPostings, openCheck } from '#ledger'
import type { CheckResult, Entry } from '#ledger'
import type { Queryable } from '#platform/postgres'
import type { SettlementDeps } from '../deps.ts'
import { figuresOf, paymentEntries, settlementEntries } from '../model/figures.ts'
import { collect } from '../runs/service.ts'
import { findRun } from '../runs/store.ts'
import type { Run } from '../runs/store.ts'
import { findStatement } from '../statements/store.ts'
import {
  countStatements,
  runIdsAfter,
  settledBySupplier,
  settledPeriods,
  wrongClaims,
  wrongStatements,
} from './store.ts'

const PAGE = 100
const KINDS: ReadonlySet<string> = new Set(['supplier_settlement', 'supplier_payment'])

/** Proves settlements from statements and usage up, in one snapshot of the database. */
export async function verifySettlement(deps: SettlementDeps): Promise<VerifyReply> {
  return deps.database.transaction(async (tx) => {
    const checks = [await checkStatements(tx), await checkRuns(tx), await checkAccruals(tx), await checkClaims(tx)]
    return {
      ok: checks.every((check) => check.ok),
      checks: checks.map((check) => ({ ...check, disagreements: [...check.disagreements] })),
    }
  }, 'repeatable read')
}

async function checkStatements(db: Queryable): Promise<CheckResult> {
  const check = openCheck("every supplier's statement is the sum of its lines")
  check.see(await countStatements(db))
  for (const { id } of await wrongStatements(db)) check.disagree(`${id}: its lines sum to something else`)
  return check.result()
}

async function checkRuns(db: Queryable): Promise<CheckResult> {
  const check = openCheck('every settlement is posted and paid as it was computed')
  for (let after = ''; ;) {
    const ids = await runIdsAfter(db, { id: after, limit: PAGE })
    const last = ids.at(-1)
    if (last === undefined) return check.result()
    for (const id of ids) {
      check.see()
      const run = await findRun(db, id)
      if (run) for (const flaw of await flawsOf(db, run)) check.disagree(`${id}: ${flaw}`)
    }
    after = last
  }
}

async function flawsOf(db: Queryable, run: Run): Promise<string[]> {
  const statement = await findStatement(db, run.statement)
  if (!statement || !run.figures || run.postingId === null) return ['it has no statement or no figures']
  const ids = [run.postingId, ...(run.paymentPostingId === null ? [] : [run.paymentPostingId])]
  const postings = new Map((await findPostings(db, ids)).map((posting) => [posting.id, posting.entries]))
  const flaws: string[] = []
  const figures = await collect(db, run, statement)
  if (figuresOf(run.figures).payableFen !== run.figures.payableFen) flaws.push('its figures do not add up')
  if (!isSame(postings.get(run.postingId), settlementEntries(run.supplier, figures)))
    flaws.push('its posting is not what its statement, usage and decisions come to')
  const isPaid = run.state === 'paid' || run.state === 'closed'
  if (isPaid && figures.payableFen > 0n) {
    const paid = run.paymentPostingId === null ? undefined : postings.get(run.paymentPostingId)
    if (!isSame(paid, paymentEntries(run.supplier, figures.payableFen))) flaws.push('its payment is another amount')
  }
  return flaws
}

function isSame(found: readonly Entry[] | undefined, due: readonly Entry[]): boolean {
  const text = (entries: readonly Entry[]) =>
    balanced(entries)
      .map(({ account, amountPico }) => `${account} ${amountPico}`)
      .join('\n')
  return found !== undefined && text(found) === text(due)
}

/** Whatever took something out of an accrual has to be a settlement of that much usage. */
async function checkAccruals(db: Queryable): Promise<CheckResult> {
  const check = openCheck('what left the accruals of suppliers is the cost of the requests that were settled')
  const left = new Map<string, bigint>()
  for await (const page of chain(db, PAGE))
    for (const { kind, entries } of page) {
      if (!KINDS.has(kind)) continue
      for (const { account, amountPico } of entries) {
        if (!account.startsWith('2110:')) continue
        const supplier = account.slice(5)
        left.set(supplier, (left.get(supplier) ?? 0n) + amountPico)
      }
    }
  const settled = await settledBySupplier(db)
  for (const supplier of new Set([...left.keys(), ...settled.keys()])) {
    check.see()
    const [out, due] = [left.get(supplier) ?? 0n, settled.get(supplier) ?? 0n]
    if (out !== due) check.disagree(`${supplier}: ${out} left 2110, the requests that were settled cost ${due}`)
  }
  return check.result()
}

async function checkClaims(db: Queryable): Promise<CheckResult> {
  const check = openCheck('every settled request is settled at what it cost')
  for (const { statement, supplier, period } of await settledPeriods(db)) {
    check.see()
    const month = periodOfKey('month', period)
    if (!month) continue
    for (const { record } of await wrongClaims(db, { statement, supplier, fromMs: month.fromMs, toMs: month.toMs }))
      check.disagree(`${statement}: ${record} cost something else`)
  }
  return check.result()
}

import type { VerifyReply } from '#contract'
import { usageCells } from '#charging'
import { fenToPico } from '#kernel'
import { balanced, balances, chain, findPostings, openCheck, postings } from '#ledger'
import type { CheckResult, Entry } from '#ledger'
import type { Queryable } from '#platform/postgres'
import type { BillingDeps } from '../deps.ts'
import { isResidue, totalsOf } from '../model/lines.ts'
import { documentEntries } from '../model/postings.ts'
import type { Document } from '../run/model.ts'
import { findDocument } from '../run/store.ts'
import { chargeLinesOf, linesOf } from '../run/line-store.ts'
import { dayCells } from '../rollup/model.ts'
import type { TaxedCell } from '../rollup/model.ts'
import { rollUp, taxed } from '../rollup/service.ts'
import { readProgress } from '../rollup/store.ts'
import {
  brokenChains,
  countCharges,
  countDays,
  documentIdsAfter,
  gaps,
  owedByDocuments,
  unbilled,
  wrongCharges,
  wrongDays,
  wronglyCovered,
} from './store.ts'

const PAGE = 100

/** Proves the documents from the records up, in one snapshot of the database, while the factory goes on working. */
export async function verifyBilling(deps: BillingDeps): Promise<VerifyReply> {
  await rollUp(deps.database, deps.taxOf)
  return deps.database.transaction(async (tx) => {
    const checks = [
      await checkDays(tx, deps),
      await checkCharges(tx),
      await checkDocuments(tx),
      await checkNumbers(tx),
      await checkUnbilled(tx),
      await checkReceivables(tx),
    ]
    return {
      ok: checks.every((check) => check.ok),
      checks: checks.map((check) => ({ ...check, disagreements: [...check.disagreements] })),
    }
  }, 'repeatable read')
}

async function checkDays(db: Queryable, { taxOf }: BillingDeps): Promise<CheckResult> {
  const check = openCheck('every day that is billed from is the sum of its usage records')
  const end = await readProgress(db)
  let cells: TaxedCell[] = []
  for await (const page of chain(db, PAGE)) {
    const ids = page
      .filter(({ seq, kind }) => seq <= end && (kind === 'usage' || kind === 'correction'))
      .map(({ id }) => id)
    cells = dayCells([...cells, ...(await taxed(await usageCells(db, ids), taxOf))])
    if ((page.at(-1)?.seq ?? 0) >= end) break
  }
  check.see(await countDays(db))
  for (const row of await wrongDays(db, cells))
    check.disagree(`${row.cell}: ${row.stored ?? 'missing'}, its records sum to ${row.summed ?? 'nothing'}`)
  return check.result()
}

async function checkCharges(db: Queryable): Promise<CheckResult> {
  const check = openCheck('every charge is the sum of its days, and its lines say it once')
  check.see(await countCharges(db))
  for (const { charge } of await wrongCharges(db)) check.disagree(`charge ${charge} is not the sum of its days`)
  for (const { charge } of await brokenChains(db))
    check.disagree(`charge ${charge}: its lines do not say its rounded sum`)
  return check.result()
}

async function checkDocuments(db: Queryable): Promise<CheckResult> {
  const check = openCheck('every document is the sum of its lines and is posted once')
  for (let after = ''; ;) {
    const ids = await documentIdsAfter(db, { id: after, limit: PAGE })
    const last = ids.at(-1)
    if (last === undefined) return check.result()
    for (const id of ids) {
      check.see()
      const document = await findDocument(db, id)
      if (document) for (const line of await flawsOf(db, document)) check.disagree(`${document.number ?? id}: ${line}`)
    }
    after = last
  }
}

async function flawsOf(db: Queryable, document: Document): Promise<string[]> {
  const lines = await linesOf(db, document.id)
  const charges = await chargeLinesOf(db, document.id)
  const sums = totalsOf(lines)
  const flaws: string[] = []
  for (const name of ['grossFen', 'netFen', 'taxFen', 'dueFen'] as const)
    if (sums[name] !== document[name]) flaws.push(`${name} is ${document[name]}, its lines sum to ${sums[name]}`)
  for (const { charge, to } of charges)
    if (!isResidue(to, charge.taxPercent)) flaws.push(`${charge.id} differs from the books by more than rounding`)
  if (document.postingId === null) return flaws
  const [posting] = await findPostings(db, [document.postingId])
  const due = documentEntries(document.tenant, {
    steps: charges,
    credits: lines.filter(({ charge }) => charge === null),
  })
  if (!posting || !sameEntries(balanced(posting.entries), balanced(due))) flaws.push('its posting is another one')
  return flaws
}

function sameEntries(a: readonly Entry[], b: readonly Entry[]): boolean {
  const text = (entries: readonly Entry[]) =>
    entries.map(({ account, amountPico }) => `${account} ${amountPico}`).join('\n')
  return text(a) === text(b)
}

async function checkNumbers(db: Queryable): Promise<CheckResult> {
  const check = openCheck('documents are numbered without gaps')
  check.see()
  for (const row of await gaps(db))
    check.disagree(`${row.series} of ${row.year}: ${row.found} documents, the last number is ${row.last}`)
  return check.result()
}

/** Whatever moves tax or credit that is not billed yet has to have become a charge; else it would never be billed. */
async function checkUnbilled(db: Queryable): Promise<CheckResult> {
  const check = openCheck('tax and credit that are not billed yet are what charges have left')
  const found = new Map((await balances(db, '')).map(({ account, amountPico }) => [account, amountPico as bigint]))
  if ((await newestSeq(db)) !== (await readProgress(db))) return check.result()
  const left = await unbilled(db)
  const due = new Map(left.map(({ tenant, creditPico }) => [`1110:${tenant}`, creditPico]))
  due.set(
    '2210',
    left.reduce((sum, { taxPico }) => sum - taxPico, 0n),
  )
  for (const account of new Set([...due.keys(), ...[...found.keys()].filter((each) => each.startsWith('1110:'))])) {
    check.see()
    const [ledger, charges] = [found.get(account) ?? 0n, due.get(account) ?? 0n]
    if (ledger !== charges) check.disagree(`${account}: the ledger has ${ledger}, charges have ${charges} left to bill`)
  }
  return check.result()
}

async function newestSeq(db: Queryable): Promise<number> {
  const [newest] = await postings(db, { limit: 1 })
  return newest?.seq ?? 0
}

async function checkReceivables(db: Queryable): Promise<CheckResult> {
  const check = openCheck('what tenants owe by their documents is what the ledger says')
  for (const row of await wronglyCovered(db))
    check.disagree(`${row.id}: ${row.covered} fen covered, ${row.allocated} allocated`)
  const owed = new Map(await owedByDocuments(db))
  for (const { account, amountPico } of await balances(db, '1100:')) {
    check.see()
    const tenant = account.slice('1100:'.length)
    if (amountPico !== fenToPico(owed.get(tenant) ?? 0n))
      check.disagree(`${tenant}: the ledger says ${amountPico}, its documents ${owed.get(tenant) ?? 0n} fen`)
    owed.delete(tenant)
  }
  for (const [tenant, fen] of owed)
    if (fen !== 0n) check.disagree(`${tenant}: the ledger says nothing, its documents ${fen} fen`)
  return check.result()
}

import { balanced, chain, evidenceOf, findPostings, openCheck } from '#ledger'
import type { CheckResult, Entry, Posting } from '#ledger'
import type { Queryable } from '#platform/postgres'
import { topupsAfter } from '../bucket/store.ts'
import { tokenEntries, topupEntries, usageEntries } from '../model.ts'
import { follow, meet } from './positions.ts'
import type { Positions } from './positions.ts'
import { hashesBehind, postingIdsAfter, tokensBehind, usageBehind } from './store.ts'

const PAGE = 50

/** Recomputes every usage posting from its records: entries on both sides, number of records, evidence. */
export async function checkUsagePostings(db: Queryable): Promise<CheckResult> {
  const check = openCheck('every usage posting is the sum of its records')
  const positions: Positions = new Map()
  for await (const page of chain(db, PAGE)) {
    const found = page.filter((posting) => posting.kind === 'usage')
    const ids = found.map((posting) => posting.id)
    const usage = await usageBehind(db, ids)
    const tokens = await tokensBehind(db, ids)
    const hashes = await hashesBehind(db, ids)
    await meet(
      db,
      positions,
      [...tokens.values()].flat().map(({ lot }) => lot),
    )
    for (const posting of found) {
      check.see()
      const behind = usage.get(posting.id) ?? []
      const burns = (tokens.get(posting.id) ?? []).map((burn) => follow(positions, burn)).filter((burn) => !!burn)
      const expected = balanced([...behind.flatMap(usageEntries), ...burns.flatMap(tokenEntries)])
      const records = behind.reduce((sum, each) => sum + each.records, 0)
      if (records !== posting.facts)
        check.disagree(`posting ${posting.id}: made from ${posting.facts} records, ${records} are there`)
      else if (posting.evidence !== evidenceOf(hashes.get(posting.id) ?? []))
        check.disagree(`posting ${posting.id}: its records are not those it was made from`)
      const difference = differenceOf(posting.entries, expected)
      if (difference) check.disagree(`posting ${posting.id}: ${difference}`)
    }
  }
  return check.result()
}

/** The other direction: every record is behind exactly one posting, and that posting exists. */
export async function checkRecordsPosted(db: Queryable): Promise<CheckResult> {
  const check = openCheck('every usage record is posted, on both sides at once')
  for (let after = ''; ;) {
    const page = await postingIdsAfter(db, { id: after, limit: PAGE })
    const last = page.at(-1)
    if (!last) return check.result()
    const found = new Set(
      (
        await findPostings(
          db,
          page.map((each) => each.id),
        )
      )
        .filter((posting) => posting.kind === 'usage')
        .map((posting) => posting.id),
    )
    for (const { id, records } of page) {
      check.see(records)
      if (!found.has(id)) check.disagree(`posting ${id}: ${records} records name it, and it does not exist`)
    }
    after = last.id
  }
}

export async function checkTopups(db: Queryable): Promise<CheckResult> {
  const check = openCheck('every top-up is posted once')
  const booked = new Set<string>()
  for (let after = ''; ;) {
    const page = await topupsAfter(db, { reference: after, limit: PAGE })
    const last = page.at(-1)
    if (!last) break
    const found = new Map(
      (
        await findPostings(
          db,
          page.map((each) => each.postingId),
        )
      ).map((posting) => [posting.id, posting]),
    )
    for (const topup of page) {
      check.see()
      booked.add(topup.postingId)
      const posting = found.get(topup.postingId)
      const flaw =
        posting?.kind === 'topup' ? differenceOf(posting.entries, balanced(topupEntries(topup))) : 'has no posting'
      if (flaw) check.disagree(`top-up ${topup.reference}: ${flaw}`)
    }
    after = last.reference
  }
  for await (const page of chain(db)) {
    for (const posting of page) {
      if (posting.kind === 'topup' && !booked.has(posting.id))
        check.disagree(`posting ${posting.id}: there is no top-up for it`)
      if (posting.kind !== 'topup' && posting.kind !== 'usage')
        check.disagree(`posting ${posting.id}: of the unknown kind ${posting.kind}`)
    }
  }
  return check.result()
}

function differenceOf(actual: Posting['entries'], expected: readonly Entry[]): string | undefined {
  const due = new Map(expected.map((entry) => [entry.account, entry.amountPico]))
  for (const { account, amountPico } of actual) {
    if (due.get(account) !== amountPico)
      return `${account} moved by ${amountPico}, it should be ${due.get(account) ?? 'nothing'}`
    due.delete(account)
  }
  const [missing] = due
  return missing && `${missing[0]} did not move, it should by ${missing[1]}`
}

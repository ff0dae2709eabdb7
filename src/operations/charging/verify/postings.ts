import { balanced, chain, evidenceOf, findPostings, openCheck } from '#ledger'
import type { Check, CheckResult, Entry, Posting } from '#ledger'
import type { Queryable } from '#platform/postgres'
import { BOOKING_KINDS, bookingEntries, expectedMoves, revenueOf } from '../bookings/booking.ts'
import { bookedPostingsAfter, bookingsBehind, movesBehind } from '../bookings/store.ts'
import { topupsAfter } from '../bucket/store.ts'
import { attemptCostsBehind } from '../ingest/store.ts'
import { attemptEntries, tokenEntries, topupEntries, usageEntries } from '../model.ts'
import type { Beat } from './progress.ts'
import { follow, meet } from './positions.ts'
import type { Positions } from './positions.ts'
import { evidenceBehind, postingIdsAfter, tokensBehind, usageBehind } from './store.ts'

const PAGE = 50

const NO_EVIDENCE = evidenceOf([])

/**
 * Recomputes every posting from the facts behind it, in the order of the chain: usage from its records, everything else from its
 * bookings. The order matters to what was deferred for lots of tokens, which leaves them by what they have left.
 */
export async function checkPostings(db: Queryable, beat: Beat): Promise<CheckResult[]> {
  const usage = openCheck('every usage posting is the sum of its records')
  const others = openCheck('every booking is posted as it says')
  const positions: Positions = new Map()
  let done = 0
  for await (const page of chain(db, PAGE)) {
    const facts = await factsBehind(db, page)
    await meet(db, positions, facts.lots)
    beat((done += page.reduce((sum, { kind, facts: behind }) => (kind === 'usage' ? sum + behind : sum), 0)))
    for (const posting of page) {
      if (posting.kind === 'usage') checkUsage(usage, posting, facts, positions)
      else if (BOOKING_KINDS.has(posting.kind)) checkBookings(others, posting, facts, positions)
      else if (posting.kind !== 'topup') checkStranger(others, posting)
    }
  }
  await checkBooked(db, others)
  return [usage.result(), others.result()]
}

/** The other direction: what bookings name as their postings exists. */
async function checkBooked(db: Queryable, check: Check): Promise<void> {
  for (let after = ''; ;) {
    const ids = await bookedPostingsAfter(db, { id: after, limit: PAGE })
    const last = ids.at(-1)
    if (last === undefined) return
    const found = new Set(
      (await findPostings(db, ids)).filter(({ kind }) => BOOKING_KINDS.has(kind)).map(({ id }) => id),
    )
    for (const id of ids) if (!found.has(id)) check.disagree(`posting ${id}: bookings name it, and it does not exist`)
    after = last
  }
}

interface Facts {
  readonly usage: Awaited<ReturnType<typeof usageBehind>>
  readonly tokens: Awaited<ReturnType<typeof tokensBehind>>
  readonly costs: Awaited<ReturnType<typeof attemptCostsBehind>>
  readonly evidence: Awaited<ReturnType<typeof evidenceBehind>>
  readonly bookings: Awaited<ReturnType<typeof bookingsBehind>>
  readonly moves: Awaited<ReturnType<typeof movesBehind>>
  readonly lots: readonly string[]
}

async function factsBehind(db: Queryable, page: readonly Posting[]): Promise<Facts> {
  const idsOf = (isWanted: (kind: string) => boolean) => page.filter(({ kind }) => isWanted(kind)).map(({ id }) => id)
  const usageIds = idsOf((kind) => kind === 'usage')
  const tokens = await tokensBehind(db, usageIds)
  const costs = await attemptCostsBehind(db, usageIds)
  const bookings = await bookingsBehind(
    db,
    idsOf((kind) => BOOKING_KINDS.has(kind)),
  )
  const moves = await movesBehind(
    db,
    [...bookings.values()].flat().map(({ key }) => key),
  )
  return {
    usage: await usageBehind(db, usageIds),
    tokens,
    costs,
    evidence: await evidenceBehind(db, usageIds),
    bookings,
    moves,
    lots: [...tokens.values(), ...moves.values()].flat().map(({ lot }) => lot),
  }
}

function checkUsage(
  check: Check,
  posting: Posting,
  { usage, tokens, costs, evidence }: Facts,
  positions: Positions,
): void {
  check.see()
  const behind = usage.get(posting.id) ?? []
  const burns = (tokens.get(posting.id) ?? []).map((burn) => follow(positions, burn)).filter((burn) => !!burn)
  const expected = balanced([
    ...behind.flatMap(usageEntries),
    ...(costs.get(posting.id) ?? []).flatMap(attemptEntries),
    ...burns.flatMap(tokenEntries),
  ])
  const records = behind.reduce((sum, each) => sum + each.records, 0)
  if (records !== posting.facts)
    check.disagree(`posting ${posting.id}: made from ${posting.facts} records, ${records} are there`)
  else if (posting.evidence !== (evidence.get(posting.id) ?? NO_EVIDENCE))
    check.disagree(`posting ${posting.id}: its records are not those it was made from`)
  const difference = differenceOf(posting.entries, expected)
  if (difference) check.disagree(`posting ${posting.id}: ${difference}`)
}

function checkBookings(check: Check, posting: Posting, { bookings, moves }: Facts, positions: Positions): void {
  check.see()
  const behind = bookings.get(posting.id) ?? []
  if (behind.length === 0) check.disagree(`posting ${posting.id}: there is no booking for it`)
  const difference = differenceOf(posting.entries, balanced(behind.flatMap(({ booking }) => bookingEntries(booking))))
  if (difference) check.disagree(`posting ${posting.id}: ${difference}`)
  for (const { key, booking } of behind) {
    if (booking.kind !== posting.kind) check.disagree(`booking ${key}: its posting is of the kind ${posting.kind}`)
    const moved = { paid: 0n, gift: 0n, units: 0n }
    let revenue = 0n
    for (const { lot, amount } of moves.get(key) ?? []) {
      const burn = follow(positions, { lot, amount: -amount })
      revenue += burn?.revenuePico ?? 0n
      moved[burn ? 'units' : positions.get(lot)?.lot.source === 'paid' ? 'paid' : 'gift'] += amount
    }
    const due = expectedMoves(booking)
    for (const name of ['paid', 'gift', 'units'] as const)
      if (due[name] !== moved[name])
        check.disagree(`booking ${key}: moves ${due[name]} ${name}, its lots moved by ${moved[name]}`)
    if (revenueOf(booking) !== revenue)
      check.disagree(`booking ${key}: ${revenueOf(booking)} of deferred revenue, its lots had ${revenue} in what moved`)
  }
}

/** Accounts that nobody but charging moves. Receivables, tax and what rounding leaves are also billing's. */
const OURS = /^(?:2000|2001|2009|2010|2110|4000|4010|4020|5000|5040|8\d{3})(?::|$)/

/** Settlements take out of what accrued; `verify` of settlement proves how much. */
const SETTLED = /^2110:/

function checkStranger(check: Check, posting: Posting): void {
  const touched = posting.entries.find(
    ({ account }) => OURS.test(account) && !(posting.kind === 'supplier_settlement' && SETTLED.test(account)),
  )
  if (touched)
    check.disagree(`posting ${posting.id}: of the unknown kind ${posting.kind}, and it moves ${touched.account}`)
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

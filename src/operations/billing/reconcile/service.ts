import { bookedRecords, usageAsWritten, usageCells } from '#charging'
import type { UsageCell } from '#charging'
import { periodOfKey } from '#kernel'
import { findPostings } from '#ledger'
import type { Posting } from '#ledger'
import type { Queryable } from '#platform/postgres'
import type { BillingDeps } from '../deps.ts'
import { invalidDay } from '../problems.ts'
import { usageChargeId } from '../rollup/model.ts'
import { rollUp, taxed } from '../rollup/service.ts'
import type { TaxOfSheet } from '../rollup/service.ts'
import { daysOf, postingsOfDay } from '../rollup/store.ts'
import { emptyDay } from './model.ts'
import type { Difference, Reconciliation, ServiceDay } from './model.ts'
import { billedThrough } from './store.ts'

const PAGE = 50
const MOST_REQUESTS = 100
const MOST_DIFFERENCES = 200

interface Books {
  readonly services: Map<string, ReturnType<typeof emptyDay>>
  readonly differences: Difference[]
  readonly day: string
}

/**
 * Holds four accounts of one day against each other, service by service: what gateways recorded of suppliers' production, what it
 * was rated at, what the ledger posted, and what is or will be billed. All of it in one snapshot of the database; nothing is
 * corrected here. Throws `invalid_day`.
 */
export async function reconcile(deps: BillingDeps, day: string): Promise<Reconciliation> {
  const range = periodOfKey('day', day)
  if (!range) throw invalidDay({ day: day.slice(0, 40) })
  await rollUp(deps.database, deps.taxOf)
  return deps.database.transaction(async (tx) => {
    const books: Books = { services: new Map(), differences: [], day }
    const billed = await billedThrough(tx, day.slice(0, 7))
    let afterSeq = 0
    for (;;) {
      const page = await postingsOfDay(tx, { day, afterSeq, limit: PAGE })
      const last = page.at(-1)
      if (!last) break
      await readPage(tx, books, { page, billed, taxOf: deps.taxOf })
      afterSeq = last.seq
    }
    await compareRollUp(tx, books)
    const services = [...books.services.values()].toSorted((a, b) => (a.service < b.service ? -1 : 1))
    for (const service of services) compareService(books, service)
    const differences = books.differences.slice(0, MOST_DIFFERENCES)
    return { day, ok: books.differences.length === 0, services, differences }
  }, 'repeatable read')
}

interface Page {
  readonly page: readonly { readonly seq: number; readonly postingId: string }[]
  readonly billed: ReadonlyMap<string, number>
  readonly taxOf: TaxOfSheet
}

async function readPage(tx: Queryable, books: Books, { page, billed, taxOf }: Page): Promise<void> {
  const ids = page.map(({ postingId }) => postingId)
  const seqs = new Map(page.map(({ seq, postingId }) => [postingId, seq]))
  const cells = await taxed(await usageCells(tx, ids), taxOf)
  const written = await usageAsWritten(tx, ids)
  const postings = await findPostings(tx, ids)
  for (const one of written.filter(({ day }) => day === books.day)) {
    const sums = serviceOf(books, one.service)
    sums.requests += one.requests
    sums.producedTokens += one.tokens
    sums.costPico += one.buyPico
    const same = cells.filter(
      ({ postingId, day, service }) => postingId === one.postingId && day === one.day && service === one.service,
    )
    const rated = { tokens: total(same, 'tokens'), sell: total(same, 'sellPico'), buy: total(same, 'buyPico') }
    const told = { tokens: one.tokens, sell: one.sellPico, buy: one.buyPico }
    if (rated.tokens !== told.tokens || rated.sell !== told.sell || rated.buy !== told.buy)
      await differ(tx, books, { stage: 'rated', ...one, expected: asText(told), found: asText(rated) })
  }
  for (const cell of cells.filter(({ day }) => day === books.day)) {
    const sums = serviceOf(books, cell.service)
    sums.ratedPico += cell.sellPico
    sums.giftPico += cell.giftPico
    sums.postedPico += cell.sellPico
    const charge = usageChargeId({ ...cell, period: books.day.slice(0, 7) })
    const isBilled = (seqs.get(cell.postingId) ?? 0) <= (billed.get(charge) ?? 0)
    sums[isBilled ? 'billedPico' : 'toBeBilledPico'] += cell.sellPico - cell.giftPico
  }
  for (const { postingId } of page) {
    const posting = postings.find(({ id }) => id === postingId)
    await comparePosting(tx, books, { postingId, posting, cells: cells.filter((cell) => cell.postingId === postingId) })
  }
}

/** A posting sums many days, so it is compared as a whole; what it has too much or too little counts against the service. */
async function comparePosting(
  tx: Queryable,
  books: Books,
  { postingId, posting, cells }: { postingId: string; posting: Posting | undefined; cells: readonly UsageCell[] },
): Promise<void> {
  const entry = (account: string) => posting?.entries.find((each) => each.account === account)?.amountPico ?? 0n
  for (const [service, own] of Map.groupBy(cells, (cell) => cell.service)) {
    const expected = total(own, 'sellPico') - total(own, 'giftPico') - total(own, 'taxPico')
    const found = -entry(`4000:${service}`)
    if (found === expected) continue
    serviceOf(books, service).postedPico += found - expected
    await differ(tx, books, { stage: 'posted', service, postingId, expected: `${expected}`, found: `${found}` })
  }
  const tax = total(cells, 'taxPico')
  if (entry('2210') !== -tax)
    await differ(tx, books, {
      stage: 'posted',
      service: '',
      postingId,
      expected: `tax ${tax}`,
      found: `tax ${-entry('2210')}`,
    })
}

/** The documents are made from the roll-up, so it has to be what the records say. */
async function compareRollUp(tx: Queryable, books: Books): Promise<void> {
  const days = Map.groupBy(await daysOf(tx, books.day), (cell) => cell.service)
  for (const service of new Set([...days.keys(), ...books.services.keys()])) {
    const cells = days.get(service) ?? []
    const sums = serviceOf(books, service)
    const found = total(cells, 'sellPico') - total(cells, 'giftPico')
    const expected = sums.ratedPico - sums.giftPico
    if (found !== expected || total(cells, 'tokens') !== sums.producedTokens)
      await differ(tx, books, { stage: 'billed', service, postingId: null, expected: `${expected}`, found: `${found}` })
  }
}

function compareService(books: Books, sums: ServiceDay): void {
  const { service, ratedPico, giftPico, billedPico, toBeBilledPico } = sums
  if (billedPico + toBeBilledPico + giftPico === ratedPico) return
  const found = `${billedPico + toBeBilledPico + giftPico}`
  books.differences.push({ stage: 'billed', service, posting: null, expected: `${ratedPico}`, found, requests: [] })
}

function serviceOf({ services }: Books, service: string): ReturnType<typeof emptyDay> {
  const known = services.get(service) ?? emptyDay(service)
  services.set(service, known)
  return known
}

function total<Name extends 'tokens' | 'sellPico' | 'giftPico' | 'taxPico' | 'buyPico'>(
  cells: readonly { readonly [Key in Name]: bigint }[],
  name: Name,
): bigint {
  return cells.reduce((sum, cell) => sum + cell[name], 0n)
}

function asText({ tokens, sell, buy }: { tokens: bigint; sell: bigint; buy: bigint }): string {
  return `${tokens} tokens, ${sell} sold, ${buy} bought`
}

async function differ(
  tx: Queryable,
  books: Books,
  found: { stage: Difference['stage']; service: string; postingId: string | null; expected: string; found: string },
): Promise<void> {
  const { stage, service, postingId, expected } = found
  const where = {
    ...(service === '' ? {} : { service }),
    fromMs: 0,
    toMs: Number.MAX_SAFE_INTEGER,
    limit: MOST_REQUESTS,
  }
  const behind = postingId === null ? [] : await bookedRecords(tx, { postingIds: [postingId], ...where })
  const requests = behind.map(({ record }) => record.id)
  books.differences.push({ stage, service, posting: postingId, expected, found: found.found, requests })
}

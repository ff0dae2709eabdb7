import { feesBehind, usageCells } from '#charging'
import type { UsageCell } from '#charging'
import { chain } from '#ledger'
import type { Database, Transaction } from '#platform/postgres'
import { chargeMoves, dayCells, feeMoves, postedRate } from './model.ts'
import type { TaxedCell } from './model.ts'
import { addCharges, addDays, addUsagePostings, lockProgress, moveProgress } from './store.ts'

/** The tax rate of a price sheet, by its id. What an id stands for never changes, so an answer holds for ever. */
export type TaxOfSheet = (sheet: string) => Promise<number | undefined>

/** Postings per transaction: up to 500 records each. */
const PAGE = 100

/**
 * Brings the roll-up up to the end of the ledger's chain and returns where that is. Each page moves in one transaction with the
 * mark of how far it got, so every posting is added exactly once, however often and by however many this is called.
 */
export async function rollUp(database: Database, taxOf: TaxOfSheet): Promise<number> {
  for (;;) {
    const { seq, isEnd } = await database.transaction((tx) => rollUpPage(tx, taxOf))
    if (isEnd) return seq
  }
}

async function rollUpPage(tx: Transaction, taxOf: TaxOfSheet): Promise<{ seq: number; isEnd: boolean }> {
  const from = await lockProgress(tx)
  const { value: page = [] } = (await chain(tx, PAGE, from).next()) as { value?: readonly PostingHead[] }
  const last = page.at(-1)
  if (!last) return { seq: from, isEnd: true }
  const seqs = new Map(page.map((posting) => [posting.id, posting.seq]))
  const idsOf = (...kinds: readonly string[]) => page.filter(({ kind }) => kinds.includes(kind)).map(({ id }) => id)
  const cells = await taxed(await usageCells(tx, idsOf('usage', 'correction')), taxOf)
  const memos = new Map(page.map((posting) => [posting.id, posting.memo]))
  const fees = (await feesBehind(tx, idsOf('fee', 'fee_refund')))
    .map((fee) => ({ ...fee, memo: memos.get(fee.postingId) ?? fee.reference, seq: seqs.get(fee.postingId) ?? 0 }))
    .toSorted((a, b) => a.seq - b.seq)
  if (cells.length > 0) {
    await addDays(tx, dayCells(cells))
    await addUsagePostings(tx, postingsBehind(cells, seqs))
    await addCharges(tx, chargeMoves(cells))
  }
  if (fees.length > 0) await addCharges(tx, feeMoves(fees))
  await moveProgress(tx, last.seq)
  return { seq: last.seq, isEnd: page.length < PAGE }
}

interface PostingHead {
  readonly seq: number
  readonly id: string
  readonly kind: string
  readonly memo: string
}

/** Adds the tax rates of cells: by their price sheet, or where nobody has filed it, by the tax that was posted. */
export async function taxed(cells: readonly UsageCell[], taxOf: TaxOfSheet): Promise<TaxedCell[]> {
  const rates = new Map<string, number | undefined>()
  for (const { sheet } of cells) if (!rates.has(sheet)) rates.set(sheet, await taxOf(sheet))
  return cells.map((cell) => ({ ...cell, taxPercent: rates.get(cell.sheet) ?? postedRate(cell) }))
}

function postingsBehind(cells: readonly TaxedCell[], seqs: ReadonlyMap<string, number>) {
  const rows = new Map<string, { payer: string; day: string; seq: number; postingId: string }>()
  for (const { payer, day, postingId } of cells)
    rows.set(JSON.stringify([payer, day, postingId]), { payer, day, seq: seqs.get(postingId) ?? 0, postingId })
  return [...rows.values()]
}

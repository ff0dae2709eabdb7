import type { Database } from '#platform/postgres'
import { deleteUnusedPeriods } from './store.ts'
import type { PeriodEnd } from './store.ts'

/** Longer than any gateway holds a slice of a period, and any request lasts. */
const KEPT_MS = 86_400_000
const PAGE = 500

/**
 * Clears away the periods that were filled for nobody: a reservation per minute makes half a million of them a year. A bucket goes when
 * its period has been over for a day and every slice of it was closed without a record, as its gateway has confirmed. What records drew
 * on, or may still come for, stays: `verify` proves it from there. `fromMs`: what ended before was looked at already.
 */
export async function prunePeriods(
  database: Database,
  { fromMs, nowMs }: { readonly fromMs: number; readonly nowMs: number },
): Promise<{ pruned: number; toMs: number }> {
  const toMs = nowMs - KEPT_MS
  let pruned = 0
  let after: PeriodEnd | undefined = { endMs: fromMs, id: '' }
  while (after) {
    const page = { after, toMs, limit: PAGE }
    const done: Awaited<ReturnType<typeof deleteUnusedPeriods>> = await database.transaction((tx) =>
      deleteUnusedPeriods(tx, page),
    )
    pruned += done.pruned
    after = done.last
  }
  return { pruned, toMs }
}

import type { SlaTerm, UsageRecord } from '#contract'
import type { Queryable, Transaction } from '#platform/postgres'
import { addMinutes, readTerms } from '../store/sli.ts'
import { count, emptyMinute, minuteOf } from './model/minute.ts'
import type { MinuteRow } from './model/minute.ts'
import { observationsOf } from './model/observation.ts'
import { termsAt } from './model/terms.ts'
import type { DeclaredTerms, SlaScope, SlaTerms } from './model/terms.ts'

/** What suppliers' agreements promise; where there is none, what an operator declared holds. Rates in requests are always declared. */
export type SupplierSlaOf = (supplier: string, atMs: number) => Promise<readonly SlaTerm[] | undefined>

/** The terms of a scope at a moment: an agreement before a declaration. */
export type TermsOf = (scope: SlaScope, atMs: number) => Promise<SlaTerms | undefined>

export async function termsReader(db: Queryable, supplierSlaOf: SupplierSlaOf): Promise<TermsOf> {
  const all: readonly DeclaredTerms[] = await readTerms(db)
  return async (scope, atMs) => {
    const declared = termsAt(all, scope, atMs)
    const agreed = scope.leg === 'supplier' ? await supplierSlaOf(scope.party, atMs) : undefined
    if (!agreed || agreed.length === 0) return declared
    return { measures: agreed, requestsPerMinute: declared?.requestsPerMinute ?? null }
  }
}

/** Adds records to the minutes in which they were accepted. Must be called once per record: whoever calls it holds the mark. */
export async function countRecords(
  tx: Transaction,
  records: readonly UsageRecord[],
  supplierSlaOf: SupplierSlaOf,
): Promise<void> {
  if (records.length === 0) return
  const termsOf = await termsReader(tx, supplierSlaOf)
  const minutes = new Map<string, MinuteRow>()
  for (const seen of records.flatMap(observationsOf)) {
    const { leg, party, service, tier } = seen
    const minuteMs = minuteOf(seen.atMs)
    const key = JSON.stringify([leg, party, service, tier, minuteMs])
    const row = minutes.get(key) ?? emptyMinute(seen, minuteMs, await termsOf(seen, minuteMs))
    minutes.set(key, count(row, seen))
  }
  // In one order, so that two installations of this job could not deadlock even without the mark.
  await addMinutes(
    tx,
    [...minutes].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row),
  )
}

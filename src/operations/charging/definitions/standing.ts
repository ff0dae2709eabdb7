import { periodAt } from '#kernel'
import type { Period } from '#kernel'
import type { Queryable } from '#platform/postgres'
import { bucketsOf } from '../bucket/store.ts'
import type { Definition } from './model.ts'
import { definitionsAfter } from './store.ts'

/** A spend cap or a dimension of a reservation, with what was used of the period that runs. */
export interface Standing {
  readonly definition: Definition
  readonly period: Period
  readonly used: bigint
  readonly held: bigint
}

/** A period's bucket is opened when something is first asked of it: until then nothing is used. */
export async function standings(db: Queryable, tenant: string, nowMs: number): Promise<Standing[]> {
  const buckets = new Map((await bucketsOf(db, tenant, nowMs)).map((bucket) => [bucket.id, bucket]))
  return (await definitionsAfter(db, nowMs))
    .filter((definition) => definition.tenant === tenant)
    .map((definition) => {
      const period = periodAt(definition.period, nowMs)
      const bucket = buckets.get(`${definition.id}@${period.key}`)
      return {
        definition,
        period,
        // An amount that was lowered during the period may be below what is held.
        used: bucket && bucket.posted < definition.amount ? definition.amount - bucket.posted : 0n,
        held: bucket ? bucket.escrowed : 0n,
      }
    })
}

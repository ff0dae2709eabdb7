import { openCheck } from '#ledger'
import type { CheckResult } from '#ledger'
import type { Queryable } from '#platform/postgres'
import { bucketsOfKind } from '../bucket/store.ts'
import { countQuarantine, openQuarantine } from '../quarantine/store.ts'
import {
  countBuckets,
  countRollups,
  countSlices,
  wrongEscrows,
  wrongPeriods,
  wrongRollups,
  wrongSlices,
} from './store.ts'

export async function checkEscrow(db: Queryable): Promise<CheckResult> {
  const check = openCheck('what buckets have set aside is what open slices have left')
  check.see(await countBuckets(db))
  for (const row of await wrongEscrows(db))
    check.disagree(`bucket ${row.id}: ${row.escrowed} set aside, open slices have ${row.open} left`)
  return check.result()
}

export async function checkPeriods(db: Queryable): Promise<CheckResult> {
  const check = openCheck('every period has what it was filled with less what records drew')
  for (const kind of ['throughput', 'cap'] as const) check.see((await bucketsOfKind(db, kind)).length)
  for (const row of await wrongPeriods(db))
    check.disagree(`bucket ${row.id}: ${row.posted} of ${row.granted} left, records drew ${row.drawn}`)
  return check.result()
}

export async function checkSlices(db: Queryable): Promise<CheckResult> {
  const check = openCheck('every slice has settled what its records cost')
  check.see(await countSlices(db))
  for (const row of await wrongSlices(db)) {
    const strangers = Number(row.strangers) > 0 ? `, ${row.strangers} records of another tenant or gateway` : ''
    check.disagree(
      `slice ${row.id}: ${row.settled} settled by ${row.records} records, found ${row.sold} by ${row.found}${strangers}`,
    )
  }
  return check.result()
}

export async function checkRollups(db: Queryable): Promise<CheckResult> {
  const check = openCheck('every roll-up is the sum of its records')
  check.see(await countRollups(db))
  for (const row of await wrongRollups(db))
    check.disagree(`roll-up ${row.cell}: ${row.stored ?? 'missing'}, its records sum to ${row.summed ?? 'nothing'}`)
  return check.result()
}

export async function checkQuarantine(db: Queryable): Promise<CheckResult> {
  const check = openCheck('no usage record waits in quarantine')
  check.see((await countQuarantine(db)).all)
  for (const row of await openQuarantine(db, 100)) check.disagree(`record ${row.id}: ${row.reason}`)
  return check.result()
}

import type { Transaction } from '#platform/postgres'
import { actionFor } from '../changes.ts'
import type { Note, SayAt } from '../changes.ts'
import type { CalendarRow } from '../model.ts'
import type { Declared } from '../plan-dated.ts'
import { firstFreeDay, settledDaysChanged } from './model.ts'
import { upsertCalendar } from './store.ts'

/** What a day was is never changed once it has begun: requests were priced by it. */
export function checkCalendars(
  declared: readonly Declared<CalendarRow>[],
  there: readonly CalendarRow[],
  nowMs: number,
  say: SayAt,
): void {
  for (const { row, path } of declared) {
    const existing = there.find(({ id }) => id === row.id)
    const [day, ...more] = existing ? settledDaysChanged(existing, row, nowMs) : []
    if (day !== undefined)
      say(
        path,
        `${day}${more.length > 0 ? ` and ${more.length} more days` : ''} would be of another kind than before, but days before ` +
          `${firstFreeDay(nowMs)} have begun or are about to: what they are cannot change`,
      )
  }
}

export async function putCalendars(
  tx: Transaction,
  declared: readonly Declared<CalendarRow>[],
  there: readonly CalendarRow[],
  note: Note,
): Promise<void> {
  for (const { row } of declared) {
    const action = actionFor(
      there.find(({ id }) => id === row.id),
      row,
    )
    if (action !== 'unchanged') await upsertCalendar(tx, row)
    note('calendar', row.id, action)
  }
}

import type { FactoryTable } from '#contract'
import type { Transaction } from '#platform/postgres'
import { actionFor } from '../changes.ts'
import type { Note } from '../changes.ts'
import type { TableVersionRow } from '../model.ts'
import type { DatedPlan } from '../plan-dated.ts'
import * as store from './store.ts'

export async function putTables(
  tx: Transaction,
  declared: readonly FactoryTable[],
  plan: DatedPlan<TableVersionRow>,
  note: Note,
): Promise<void> {
  const there = await store.selectTables(tx)
  for (const { id, name = id } of declared) {
    const row = { id, displayName: name }
    const action = actionFor(
      there.find((table) => table.id === id),
      row,
    )
    if (action !== 'unchanged') await store.upsertTable(tx, row)
    note('table', id, action)
  }
  for (const { row, action } of plan.changes) {
    if (action !== 'unchanged') await store.upsertVersion(tx, row)
    note('table', row.id, action)
  }
  for (const { id } of plan.withdrawn) {
    await store.withdrawVersion(tx, id)
    note('table', id, 'updated')
  }
}

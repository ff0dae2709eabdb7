import { isDeepStrictEqual } from 'node:util'
import { lineKey } from './model.ts'
import type { SheetRow, TableVersionRow } from './model.ts'
import type { DatedKind } from './plan-dated.ts'

export const SHEETS: DatedKind<SheetRow> = {
  noun: 'price sheet',
  content: 'prices',
  lineOf: lineKey,
  isSame: (a, b) => isDeepStrictEqual(termsOf(a), termsOf(b)),
}

export const VERSIONS: DatedKind<TableVersionRow> = {
  noun: 'version',
  content: 'weights',
  lineOf: ({ table }) => table,
  isSame: (a, b) => isDeepStrictEqual(a.weights, b.weights),
}

function termsOf({ taxPercent, prices, peak, variants }: SheetRow) {
  return [taxPercent, { ...prices }, peak, variants]
}

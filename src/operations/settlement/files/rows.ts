import type { StatementMapping } from '#contract'
import { csvRows } from './csv.ts'
import { jsonRows } from './json.ts'
import type { RowBatch, Source } from './source.ts'
import { xlsxRows } from './xlsx.ts'

/** The rows of a supplier's file in the format that its mapping names, in batches. Throws `statement_unreadable`. */
export function rowsOf(source: Source, mapping: StatementMapping): AsyncGenerator<RowBatch> {
  const wanted = Object.values(mapping.columns).filter((name) => name !== undefined)
  switch (mapping.format) {
    case 'csv':
      return csvRows(source, mapping, wanted)
    case 'json':
      return jsonRows(source, mapping, wanted)
    case 'xlsx':
      return xlsxRows(source, wanted)
  }
}

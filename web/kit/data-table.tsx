import { Fragment } from 'react'
import type { MouseEvent, ReactNode } from 'react'

export interface Column<Row> {
  readonly key: string
  readonly title: ReactNode
  readonly cell: (row: Row) => ReactNode
  /** Figures stand right-aligned in tabular digits. */
  readonly numeric?: boolean
  /** The cell that names the row: it leads the card into which a row turns on narrow screens. */
  readonly lead?: boolean
}

interface Props<Row> {
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly rowKey: (row: Row) => string
  readonly empty: ReactNode
  /** Mouse shortcut only; the same must be reachable by a link or button in a cell. */
  readonly onRowClick?: (row: Row) => void
  /** What unfolds below a row, or null. */
  readonly detail?: (row: Row) => ReactNode
  readonly foot?: ReactNode
  readonly selectedKey?: string | null
}

/** A dense table that becomes a list of cards below 720 px, so that nothing has to be scrolled sideways on a telephone. */
export function DataTable<Row>({
  label,
  columns,
  rows,
  rowKey,
  empty,
  onRowClick,
  detail,
  foot,
  selectedKey,
}: Props<Row>) {
  if (rows.length === 0) return <>{empty}</>
  const click = (row: Row) => (event: MouseEvent<HTMLTableRowElement>) => {
    if (event.target instanceof Element && event.target.closest('a, button, input')) return
    if (window.getSelection()?.toString()) return
    onRowClick?.(row)
  }
  return (
    <div className="table-scroll">
      <table className={onRowClick ? 'table clickable' : 'table'} aria-label={label}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.key} scope="col" className={column.numeric ? 'numeric' : undefined}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const key = rowKey(row)
            const unfolded = detail?.(row) ?? null
            return (
              <Fragment key={key}>
                <tr onClick={onRowClick && click(row)} className={selectedKey === key ? 'selected' : undefined}>
                  {columns.map((column) => (
                    <td
                      key={column.key}
                      className={cellClass(column)}
                      data-label={typeof column.title === 'string' ? column.title : ''}
                    >
                      {column.cell(row)}
                    </td>
                  ))}
                </tr>
                {unfolded !== null && (
                  <tr className="unfolded">
                    <td colSpan={columns.length}>{unfolded}</td>
                  </tr>
                )}
              </Fragment>
            )
          })}
        </tbody>
        {foot && <tfoot>{foot}</tfoot>}
      </table>
    </div>
  )
}

function cellClass(column: { readonly numeric?: boolean; readonly lead?: boolean }): string | undefined {
  if (column.lead) return 'lead-cell'
  return column.numeric ? 'numeric' : undefined
}

const segmenter = new Intl.Segmenter()
/** Chinese, Japanese and Korean characters, full-width forms and emoji take two cells of a terminal. */
const WIDE =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u

/** How many cells of a terminal a text takes. */
export function cellWidth(text: string): number {
  let width = 0
  for (const { segment } of segmenter.segment(text)) {
    if (/^\p{Mn}+$/u.test(segment)) continue
    width += WIDE.test(segment) ? 2 : 1
  }
  return width
}

export interface Column<Row> {
  readonly title: string
  readonly value: (row: Row) => string | number
  readonly align?: 'right'
}

/** A table of plain text. What others named cannot steer the terminal: control characters become a question mark. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const lines = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ value }) => printable(String(value(row))))),
  ]
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => cellWidth(line[index] ?? ''))))
  return lines
    .map((line) =>
      line
        .map((text, index) => {
          const padding = ' '.repeat((widths[index] ?? 0) - cellWidth(text))
          return columns[index]?.align === 'right' ? padding + text : text + padding
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}|\p{Cf}/gu, '?')
}

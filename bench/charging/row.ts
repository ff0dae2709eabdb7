/** A line of the table. */
export interface Row {
  readonly what: string
  readonly measured: string
  /** Absent: measured for information. */
  readonly target?: string
  readonly reached?: boolean
}

export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map(({ what, measured, target = '–', reached }) => [
    what,
    measured,
    target,
    reached === undefined ? '–' : reached ? 'yes' : 'no',
  ])
  const lines = [['what', 'measured', 'target', 'reached'], ['---', '---', '---', '---'], ...cells]
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n')
}

export const count = (value: number): string => Math.round(value).toLocaleString('en')
export const us = (value: number): string => `${value.toFixed(1)} µs`
export const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ms`

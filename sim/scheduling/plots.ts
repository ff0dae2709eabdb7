/** Plots as SVG text, without a library: a report is one file that opens anywhere. */
export interface Axis {
  readonly title: string
  readonly from: number
  readonly to: number
  readonly isLog?: boolean
  readonly show: (value: number) => string
}

const [WIDTH, HEIGHT] = [560, 320]
const [LEFT, RIGHT, TOP, BOTTOM] = [64, 150, 16, 44]
const COLOURS = [
  '#1769aa',
  '#c2410c',
  '#15803d',
  '#7c3aed',
  '#b45309',
  '#0e7490',
  '#be123c',
  '#4d7c0f',
  '#6b7280',
  '#9333ea',
]
const TICKS = 5

export const colourOf = (index: number): string => COLOURS[index % COLOURS.length]!

export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** Where a value lies on an axis, in parts of its length. */
function partOf({ from, to, isLog }: Axis, value: number): number {
  const scale = isLog ? Math.log : (each: number) => each
  return Math.min(1, Math.max(0, (scale(value) - scale(from)) / (scale(to) - scale(from))))
}

const xOf = (axis: Axis, value: number) => LEFT + partOf(axis, value) * (WIDTH - LEFT - RIGHT)
const yOf = (axis: Axis, value: number) => HEIGHT - BOTTOM - partOf(axis, value) * (HEIGHT - TOP - BOTTOM)

function ticksOf({ from, to, isLog }: Axis): number[] {
  return Array.from({ length: TICKS }, (_, i) => {
    const part = i / (TICKS - 1)
    return isLog ? from * (to / from) ** part : from + part * (to - from)
  })
}

function frame(x: Axis, y: Axis, inside: string): string {
  const right = WIDTH - RIGHT
  const bottom = HEIGHT - BOTTOM
  const alongX = ticksOf(x).map(
    (value) => `<text x="${xOf(x, value)}" y="${bottom + 16}" text-anchor="middle">${escapeText(x.show(value))}</text>`,
  )
  const alongY = ticksOf(y).map((value) => {
    const at = yOf(y, value)
    const text = `<text x="${LEFT - 6}" y="${at + 4}" text-anchor="end">${escapeText(y.show(value))}</text>`
    return `<line x1="${LEFT}" x2="${right}" y1="${at}" y2="${at}" class="grid"/>${text}`
  })
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">${alongY.join('')}${alongX.join('')}
<text x="${(LEFT + right) / 2}" y="${HEIGHT - 6}" text-anchor="middle" class="title">${escapeText(x.title)}</text>
<text x="14" y="${HEIGHT / 2}" text-anchor="middle" class="title" transform="rotate(-90 14 ${HEIGHT / 2})">${escapeText(y.title)}</text>
${inside}</svg>`
}

export interface Point {
  readonly name: string
  readonly x: number
  readonly y: number
  /** Half of a 95 % interval; NaN: none. */
  readonly xMargin: number
  readonly yMargin: number
}

/** Points with their intervals, and a list of their names. */
export function scatter(x: Axis, y: Axis, points: readonly Point[]): string {
  const marks = points.map((point, i) => {
    const [atX, atY] = [xOf(x, point.x), yOf(y, point.y)]
    const bars = Number.isNaN(point.xMargin)
      ? ''
      : `<line x1="${xOf(x, point.x - point.xMargin)}" x2="${xOf(x, point.x + point.xMargin)}" y1="${atY}" y2="${atY}" stroke="${colourOf(i)}"/>
<line x1="${atX}" x2="${atX}" y1="${yOf(y, point.y - point.yMargin)}" y2="${yOf(y, point.y + point.yMargin)}" stroke="${colourOf(i)}"/>`
    return `${bars}<circle cx="${atX}" cy="${atY}" r="5" fill="${colourOf(i)}"/>${legend(point.name, i)}`
  })
  return frame(x, y, marks.join(''))
}

function legend(name: string, i: number): string {
  const at = TOP + 8 + 16 * i
  return `<circle cx="${WIDTH - RIGHT + 14}" cy="${at}" r="4" fill="${colourOf(i)}"/><text x="${WIDTH - RIGHT + 24}" y="${at + 4}">${escapeText(name)}</text>`
}

export interface Curve {
  readonly name: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

/** Lines through points; `diagonal`: where x equals y. */
export function curves(x: Axis, y: Axis, lines: readonly Curve[], diagonal = false): string {
  const drawn = lines.map(({ name, points }, i) => {
    const path = points.map(([atX, atY]) => `${xOf(x, atX)},${yOf(y, atY)}`).join(' ')
    const dots = points.map(
      ([atX, atY]) => `<circle cx="${xOf(x, atX)}" cy="${yOf(y, atY)}" r="3" fill="${colourOf(i)}"/>`,
    )
    return `<polyline points="${path}" fill="none" stroke="${colourOf(i)}" stroke-width="2"/>${dots.join('')}${legend(name, i)}`
  })
  const low = Math.max(x.from, y.from)
  const high = Math.min(x.to, y.to)
  const line = diagonal
    ? `<line x1="${xOf(x, low)}" y1="${yOf(y, low)}" x2="${xOf(x, high)}" y2="${yOf(y, high)}" stroke="#999" stroke-dasharray="4 4"/>`
    : ''
  return frame(x, y, line + drawn.join(''))
}

export interface Bar {
  readonly name: string
  /** Each a part of the whole, by name. */
  readonly parts: Readonly<Record<string, number>>
}

/** One bar per name, divided into parts that have the same colour in all of them. */
export function stacks(bars: readonly Bar[]): string {
  const names = [...new Set(bars.flatMap(({ parts }) => Object.keys(parts)))]
  const rowHeight = 20
  const rows = bars.map(({ name, parts }, row) => {
    let at = LEFT + 90
    const length = WIDTH - RIGHT - LEFT - 90
    const pieces = names.map((part, i) => {
      const wide = (parts[part] ?? 0) * length
      const piece = `<rect x="${at}" y="${8 + row * rowHeight}" width="${wide}" height="14" fill="${colourOf(i)}"/>`
      at += wide
      return piece
    })
    return `<text x="${LEFT + 84}" y="${19 + row * rowHeight}" text-anchor="end">${escapeText(name)}</text>${pieces.join('')}`
  })
  const height = Math.max(bars.length * rowHeight, names.length * 16) + 20
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img">${rows.join('')}${names.map(legend).join('')}</svg>`
}

import type { Document, FiledLine } from '../run/model.ts'
import { ACCENT, INK, PAGE, RULE, SOFT, TINT, WIDTH, grouped, money } from './pdf-style.ts'
import type { Printable } from './pdf-style.ts'
import type { Texts } from './texts.ts'

interface Column {
  readonly title: (texts: Texts) => string
  readonly width: number
  readonly align: 'left' | 'right'
  readonly text: (line: FiledLine, context: { texts: Texts; document: Document }) => string
}

const COLUMNS: readonly Column[] = [
  { title: (t) => t.position, width: 30, align: 'left', text: (line) => `${line.position}` },
  { title: (t) => t.description, width: 137, align: 'left', text: describe },
  { title: (t) => t.month, width: 44, align: 'left', text: (line) => line.period },
  {
    title: (t) => t.requests,
    width: 50,
    align: 'right',
    text: (line) => (line.service ? grouped(BigInt(line.requests)) : ''),
  },
  { title: (t) => t.tokens, width: 68, align: 'right', text: (line) => (line.service ? grouped(line.tokens) : '') },
  { title: (t) => t.taxRate, width: 30, align: 'right', text: (line) => `${line.taxPercent}%` },
  { title: (t) => t.net, width: 50, align: 'right', text: (line) => money(line.netFen) },
  { title: (t) => t.tax, width: 44, align: 'right', text: (line) => money(line.taxFen) },
  { title: (t) => t.gross, width: 54, align: 'right', text: (line) => money(line.grossFen) },
]
const CELL = { side: 3, top: 5 } as const
const TEXT_SIZE = 7.6

function describe(line: FiledLine, { texts, document }: { texts: Texts; document: Document }): string {
  const kind = line.service === null ? texts.fee : texts.usage
  const sheet = line.sheet === null ? '' : `\n${texts.sheet} ${line.sheet}`
  const isPrior = line.period < document.period && document.kind !== 'credit_note'
  return `${kind} · ${line.description}${sheet}${isPrior ? `\n${texts.prior}` : ''}`
}

/** Draws the table, on as many pages as it takes, and returns where it ends. */
export function drawLines(pdf: PDFKit.PDFDocument, { document, lines }: Printable, texts: Texts): number {
  let top = drawTableHead(pdf, texts, pdf.y)
  if (lines.length === 0) {
    pdf
      .fillColor(SOFT)
      .fontSize(9)
      .text(texts.noLines, PAGE.left, top + 10, { width: WIDTH, align: 'center' })
    return pdf.y + 14
  }
  for (const line of lines) {
    const cells = COLUMNS.map((column) => column.text(line, { texts, document }))
    const height = rowHeight(pdf, cells)
    if (top + height > PAGE.bottom - 20) {
      pdf.addPage()
      top = drawTableHead(pdf, texts, PAGE.top)
    }
    drawRow(pdf, cells, { top, color: INK })
    pdf.rect(PAGE.left, top + height, WIDTH, 0.4).fill(RULE)
    top += height
  }
  return top + 12
}

function drawTableHead(pdf: PDFKit.PDFDocument, texts: Texts, top: number): number {
  const titles = COLUMNS.map((column) => column.title(texts))
  const height = rowHeight(pdf, titles)
  pdf.rect(PAGE.left, top, WIDTH, height).fill(TINT)
  drawRow(pdf, titles, { top, color: ACCENT })
  return top + height
}

function drawRow(
  pdf: PDFKit.PDFDocument,
  cells: readonly string[],
  { top, color }: { top: number; color: string },
): void {
  let left: number = PAGE.left
  pdf.fillColor(color)
  for (const [index, column] of COLUMNS.entries()) {
    const cell = cells[index] ?? ''
    pdf.fontSize(sizeFor(pdf, cell, column))
    pdf.text(cell, left + CELL.side, top + CELL.top, { width: column.width - 2 * CELL.side + 0.5, align: column.align })
    left += column.width
  }
}

/** A number is never broken into two lines: it is set smaller where it is long. */
function sizeFor(pdf: PDFKit.PDFDocument, cell: string, { align, width }: Column): number {
  if (align === 'left') return TEXT_SIZE
  const needed = pdf.fontSize(TEXT_SIZE).widthOfString(cell)
  return Math.min(TEXT_SIZE, (TEXT_SIZE * (width - 2 * CELL.side)) / needed)
}

function rowHeight(pdf: PDFKit.PDFDocument, cells: readonly string[]): number {
  const heights = COLUMNS.map((column, index) => {
    const cell = cells[index] ?? ''
    pdf.fontSize(sizeFor(pdf, cell, column))
    return pdf.heightOfString(cell, { width: column.width - 2 * CELL.side + 0.5 })
  })
  return Math.max(...heights) + 2 * CELL.top
}

import { fileURLToPath } from 'node:url'
import PDFDocument from 'pdfkit'
import { chinaDate } from '#kernel'
import { chineseAmount } from '../model/chinese-amount.ts'
import { formatFen } from '../model/fen.ts'
import type { Document, FiledLine, Party } from '../run/model.ts'
import { textsOf } from './texts.ts'
import type { Language, Texts } from './texts.ts'

/** All that a document prints; the same input gives the same bytes. */
export interface Printable {
  readonly document: Document
  readonly lines: readonly FiledLine[]
  /** The number of the document that this one corrects. */
  readonly corrects: string | null
}

const FONT = fileURLToPath(new URL('../../../../assets/fonts/NotoSansSC-Regular.ttf', import.meta.url))
const PAGE = { left: 44, right: 551, top: 44, bottom: 782 } as const
const WIDTH = PAGE.right - PAGE.left
const INK = '#1b2430'
const SOFT = '#667085'
const RULE = '#d0d5dd'
const ACCENT = '#0b4f8a'
const TINT = '#eef4fa'

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

/** Lays a document out on as many A4 pages as it needs. */
export async function renderPdf(printable: Printable, language: Language): Promise<Buffer> {
  const { document } = printable
  const texts = textsOf(language)
  const stamp = new Date(document.issuedAtMs ?? document.createdAtMs)
  const title = `${texts.titles[document.kind]} ${document.number ?? document.id}`
  const pdf = new PDFDocument({
    size: 'A4',
    margins: { top: PAGE.top, bottom: 0, left: PAGE.left, right: 595 - PAGE.right },
    bufferPages: true,
    font: FONT,
    lang: language,
    info: { Title: title, Author: document.seller.name, CreationDate: stamp, ModDate: stamp },
  })
  const whole = collect(pdf)
  drawHead(pdf, printable, texts)
  const after = drawLines(pdf, printable, texts)
  drawSums(pdf, printable, { texts, top: after })
  drawFeet(pdf, document, texts)
  pdf.end()
  return whole
}

function collect(pdf: PDFKit.PDFDocument): Promise<Buffer> {
  return new Promise((done, fail) => {
    const pieces: Buffer[] = []
    pdf.on('data', (piece: Buffer) => pieces.push(piece))
    pdf.on('end', () => done(Buffer.concat(pieces)))
    pdf.on('error', fail)
  })
}

function drawHead(pdf: PDFKit.PDFDocument, { document, corrects }: Printable, texts: Texts): void {
  pdf.rect(PAGE.left, PAGE.top, WIDTH, 3).fill(ACCENT)
  pdf
    .fillColor(INK)
    .fontSize(21)
    .text(texts.titles[document.kind], PAGE.left, PAGE.top + 14, { width: 300 })
  const meta: (readonly [string, string])[] = [
    [texts.number, document.number ?? texts.draft],
    [texts.issued, document.issuedAtMs === null ? '–' : chinaDate(document.issuedAtMs)],
    [texts.period, document.period],
    [texts.currency, 'CNY'],
  ]
  if (document.dueAtMs !== null && document.dueFen > 0n) meta.push([texts.dueDate, chinaDate(document.dueAtMs)])
  if (corrects !== null) meta.push([texts.corrects, corrects])
  if (document.reason !== null) meta.push([texts.reason, document.reason])
  let top = PAGE.top + 14
  for (const [name, value] of meta) {
    pdf.fillColor(SOFT).fontSize(8).text(name, 350, top, { width: 70 })
    pdf
      .fillColor(INK)
      .fontSize(8.5)
      .text(value, 424, top, { width: PAGE.right - 424, align: 'right' })
    top = Math.max(pdf.y, top + 13) + 1
  }
  top = Math.max(top + 10, PAGE.top + 74)
  const half = (WIDTH - 14) / 2
  const height = Math.max(
    drawParty(pdf, document.seller, { title: texts.seller, texts, left: PAGE.left, top, width: half }),
    drawParty(pdf, document.buyer, { title: texts.buyer, texts, left: PAGE.left + half + 14, top, width: half }),
  )
  pdf.y = top + height + 16
}

function drawParty(
  pdf: PDFKit.PDFDocument,
  party: Party,
  { title, texts, left, top, width }: { title: string; texts: Texts; left: number; top: number; width: number },
): number {
  pdf.rect(left, top, width, 0.8).fill(ACCENT)
  pdf
    .fillColor(ACCENT)
    .fontSize(8.5)
    .text(title, left, top + 6, { width })
  pdf
    .fillColor(INK)
    .fontSize(10.5)
    .text(party.name, left, pdf.y + 2, { width })
  const facts: (readonly [string, string | null])[] = [
    [texts.uscc, party.uscc],
    [texts.address, party.address],
    [texts.phone, party.phone],
    [texts.email, party.email],
    [texts.bank, party.bank],
    [texts.bankAccount, party.bankAccount],
  ]
  pdf.fontSize(8)
  for (const [name, value] of facts) {
    if (value === null) continue
    const at = pdf.y + 1.5
    pdf.fillColor(SOFT).text(name, left, at, { width: 84 })
    const below = pdf.y
    pdf.fillColor(INK).text(value, left + 88, at, { width: width - 88 })
    pdf.y = Math.max(below, pdf.y)
  }
  return pdf.y - top
}

function drawLines(pdf: PDFKit.PDFDocument, { document, lines }: Printable, texts: Texts): number {
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

function drawSums(
  pdf: PDFKit.PDFDocument,
  { document, lines }: Printable,
  { texts, top: wanted }: { texts: Texts; top: number },
): void {
  const rates = [...Map.groupBy(lines, (line) => line.taxPercent)].toSorted(([a], [b]) => a - b)
  const needed = 150 + rates.length * 13
  let top = wanted
  if (top + needed > PAGE.bottom - 20) {
    pdf.addPage()
    top = PAGE.top
  }
  const left = drawTaxes(pdf, rates, { texts, top, document })
  const right = drawTotals(pdf, document, { texts, top })
  top = Math.max(left, right) + 10
  pdf.rect(PAGE.left, top, WIDTH, 24).fill(TINT)
  pdf
    .fillColor(SOFT)
    .fontSize(8.5)
    .text(texts.inWords, PAGE.left + 8, top + 6, { width: 150 })
  pdf
    .fillColor(INK)
    .fontSize(10)
    .text(chineseAmount(document.grossFen), PAGE.left + 160, top + 5, { width: WIDTH - 168, align: 'right' })
  top += 34
  const { seller } = document
  if (document.dueFen > 0n && seller.bank !== null && seller.bankAccount !== null) {
    pdf.fillColor(ACCENT).fontSize(8.5).text(texts.payment, PAGE.left, top)
    const how = `${seller.name} · ${seller.bank} · ${seller.bankAccount} · ${texts.remark}`
    pdf
      .fillColor(INK)
      .fontSize(8)
      .text(how, PAGE.left, pdf.y + 2, { width: WIDTH })
    top = pdf.y + 8
  }
  pdf.fillColor(SOFT).fontSize(7.5).text(texts.detail, PAGE.left, top, { width: WIDTH })
  pdf.text(texts.notice, PAGE.left, pdf.y + 2, { width: WIDTH })
}

function drawTaxes(
  pdf: PDFKit.PDFDocument,
  rates: readonly (readonly [number, readonly FiledLine[]])[],
  { texts, top, document }: { texts: Texts; top: number; document: Document },
): number {
  const stops = [0, 44, 120, 185, 260]
  const row = (cells: readonly string[], at: number, color: string): void => {
    pdf.fillColor(color).fontSize(8)
    for (const [index, cell] of cells.entries()) {
      const [from = 0, to = 0] = [stops[index], stops[index + 1]]
      pdf.text(cell, PAGE.left + from, at, { width: to - from - 4, align: index === 0 ? 'left' : 'right' })
    }
  }
  pdf.fillColor(ACCENT).fontSize(8.5).text(texts.taxSummary, PAGE.left, top)
  row([texts.taxRate, texts.net, texts.tax, texts.gross], top + 15, SOFT)
  let at = top + 28
  for (const [rate, lines] of rates) {
    const sum = (name: 'netFen' | 'taxFen' | 'grossFen') => money(lines.reduce((total, line) => total + line[name], 0n))
    row([`${rate}%`, sum('netFen'), sum('taxFen'), sum('grossFen')], at, INK)
    at += 13
  }
  row([texts.total, money(document.netFen), money(document.taxFen), money(document.grossFen)], at, INK)
  return at + 14
}

function drawTotals(
  pdf: PDFKit.PDFDocument,
  document: Document,
  { texts, top }: { texts: Texts; top: number },
): number {
  const left = PAGE.left + 290
  const isCredit = document.kind === 'credit_note'
  const rows: (readonly [string, bigint])[] = [
    [texts.net, document.netFen],
    [texts.tax, document.taxFen],
    [texts.gross, document.grossFen],
  ]
  if (!isCredit && document.grossFen !== document.dueFen)
    rows.push([texts.fromWallet, document.dueFen - document.grossFen])
  let at = top
  for (const [name, fen] of rows) {
    pdf.fillColor(SOFT).fontSize(8.5).text(name, left, at, { width: 110 })
    pdf.fillColor(INK).text(money(fen), left + 110, at, { width: PAGE.right - left - 110, align: 'right' })
    at += 15
  }
  pdf.rect(left, at, PAGE.right - left, 0.8).fill(ACCENT)
  pdf
    .fillColor(ACCENT)
    .fontSize(10)
    .text(isCredit ? texts.credited : texts.toPay, left, at + 5, { width: 110 })
  const due = `¥ ${money(isCredit ? document.grossFen : document.dueFen)}`
  pdf.fontSize(13).text(due, left + 90, at + 3, { width: PAGE.right - left - 90, align: 'right' })
  return at + 24
}

/** Written last, when it is known how many pages there are. */
function drawFeet(pdf: PDFKit.PDFDocument, document: Document, texts: Texts): void {
  const { count } = pdf.bufferedPageRange()
  for (let page = 0; page < count; page++) {
    pdf.switchToPage(page)
    pdf.rect(PAGE.left, PAGE.bottom + 8, WIDTH, 0.4).fill(RULE)
    pdf.fillColor(SOFT).fontSize(7.5)
    pdf.text(`${document.seller.name} · ${document.number ?? texts.draft}`, PAGE.left, PAGE.bottom + 14, {
      width: 360,
      height: 11,
      ellipsis: true,
    })
    pdf.text(texts.page(page + 1, count), PAGE.right - 140, PAGE.bottom + 14, { width: 140, align: 'right' })
  }
}

function money(fen: bigint): string {
  const [whole = '', fraction = ''] = formatFen(fen < 0n ? -fen : fen).split('.')
  return `${fen < 0n ? '-' : ''}${grouped(BigInt(whole))}.${fraction}`
}

function grouped(value: bigint): string {
  return value.toString().replaceAll(/\B(?=(\d{3})+$)/g, ',')
}

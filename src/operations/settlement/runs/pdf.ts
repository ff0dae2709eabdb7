import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import PDFDocument from 'pdfkit'
import { chinaDate, formatYuan } from '#kernel'
import type { Event } from '../event-store.ts'
import type { DiscrepancySums } from '../matching/decision-store.ts'
import { formatFen } from '../model/fen.ts'
import type { Figures } from '../model/figures.ts'
import type { Payee, Statement } from '../statements/store.ts'
import { textsOf } from './pdf-texts.ts'
import type { Language, Texts } from './pdf-texts.ts'
import type { Run } from './store.ts'

const FONT = fileURLToPath(new URL('../../../../assets/fonts/NotoSansSC-Regular.ttf', import.meta.url))
/** An A4 page in points, and the colours. */
const PAGE = { left: 44, right: 551, top: 44, bottom: 770 } as const
const WIDTH = PAGE.right - PAGE.left
const [INK, SOFT, RULE, ACCENT] = ['#1b2430', '#667085', '#d0d5dd', '#0b4f8a']

export interface Printable {
  readonly run: Run
  readonly statement: Statement
  readonly payee: Payee | undefined
  readonly discrepancies: readonly DiscrepancySums[]
  readonly events: readonly Event[]
}

/** A settlement on paper: who is paid what, what it is made from, what differed, and who agreed. The same input gives the same bytes. */
export async function renderRun(printable: Printable, language: Language): Promise<Buffer> {
  const { run } = printable
  const texts = textsOf(language)
  const stamp = new Date(run.createdAtMs)
  const pdf = new PDFDocument({
    size: 'A4',
    margins: { top: PAGE.top, bottom: 0, left: PAGE.left, right: 595 - PAGE.right },
    font: FONT,
    lang: language,
    info: { Title: `${texts.title} ${run.id}`, CreationDate: stamp, ModDate: stamp },
  })
  const whole = buffer(pdf)
  pdf.rect(PAGE.left, PAGE.top, WIDTH, 3).fill(ACCENT)
  pdf
    .fillColor(INK)
    .fontSize(20)
    .text(texts.title, PAGE.left, PAGE.top + 12)
  pdf.y += 8
  drawRows(pdf, factsOf(printable, texts))
  drawHeading(pdf, texts.figures)
  if (run.figures) drawRows(pdf, figuresOf(run.figures, texts))
  drawHeading(pdf, texts.discrepancies)
  const rows = printable.discrepancies.map((sum): Row => [
    `${texts.classes[sum.class]} · ${texts.states[sum.state]} × ${sum.count}`,
    `¥${formatYuan(sum.impactPico)}`,
  ])
  drawRows(pdf, rows.length === 0 ? [[texts.nothing, '']] : rows)
  drawHeading(pdf, texts.history)
  drawRows(
    pdf,
    printable.events.map(({ atMs, becomes, by }): Row => [
      `${chinaDate(atMs)}  ${texts.runStates[becomes] ?? becomes}`,
      by,
    ]),
  )
  pdf.end()
  return whole
}

type Row = readonly [name: string, value: string]

function factsOf({ run, statement, payee }: Printable, texts: Texts): Row[] {
  return [
    [texts.settlement, run.id],
    [texts.period, run.period],
    [texts.statement, `${statement.id} · ${statement.fileName}`],
    [texts.hash, statement.fileHash],
    [texts.agreement, statement.terms?.agreement ?? '–'],
    [texts.payee, payee ? `${payee.name}${payee.uscc === null ? '' : ` · ${payee.uscc}`}` : '–'],
    [texts.account, payee ? `${payee.bank} · ${payee.bankAccount}` : '–'],
    [texts.state, texts.runStates[run.state] ?? run.state],
    [texts.reference, run.paymentReference ?? '–'],
    [texts.people, [run.proposedBy, run.reviewedBy, run.approvedBy].map((one) => one ?? '–').join(' / ')],
  ]
}

function figuresOf(figures: Figures, texts: Texts): Row[] {
  const yuan = (pico: bigint) => `¥${formatYuan(pico)}`
  const fen = (amount: bigint) => `¥${formatFen(amount)}`
  return [
    [texts.accrued, yuan(figures.accruedPico)],
    [texts.rounding, yuan(figures.roundingPico)],
    [texts.agreed, yuan(figures.agreedPico)],
    [texts.released, yuan(figures.releasedPico)],
    [texts.held, yuan(figures.heldPico)],
    [texts.net, fen(figures.netFen)],
    [texts.tax(figures.taxPercent), fen(figures.taxFen)],
    [texts.gross, fen(figures.grossFen)],
    [texts.netted, fen(-figures.nettedFen)],
    [texts.payable, fen(figures.payableFen)],
  ]
}

function drawHeading(pdf: PDFKit.PDFDocument, title: string): void {
  makeRoom(pdf, 60)
  pdf.y += 12
  pdf.fillColor(ACCENT).fontSize(10.5).text(title, PAGE.left, pdf.y, { width: WIDTH })
  pdf.y += 2
}

function drawRows(pdf: PDFKit.PDFDocument, rows: readonly Row[]): void {
  for (const [name, value] of rows) {
    makeRoom(pdf, 30)
    const top = pdf.y + 3
    pdf.rect(PAGE.left, top - 2, WIDTH, 0.4).fill(RULE)
    pdf.fillColor(SOFT).fontSize(8.5).text(name, PAGE.left, top, { width: 230 })
    const below = pdf.y
    pdf.fillColor(INK).text(value, PAGE.left + 240, top, { width: WIDTH - 240, align: 'right' })
    pdf.y = Math.max(below, pdf.y)
  }
}

function makeRoom(pdf: PDFKit.PDFDocument, height: number): void {
  if (pdf.y + height <= PAGE.bottom) return
  pdf.addPage()
  pdf.y = PAGE.top
}

import { chineseAmount } from '../model/chinese-amount.ts'
import type { Document, FiledLine } from '../run/model.ts'
import { ACCENT, INK, PAGE, SOFT, TINT, WIDTH, money } from './pdf-style.ts'
import type { Printable } from './pdf-style.ts'
import type { Texts } from './texts.ts'

/** Draws what the lines come to; never broken over two pages. */
export function drawSums(
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

import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import PDFDocument from 'pdfkit'
import { chinaDate } from '#kernel'
import type { Document, Party } from '../run/model.ts'
import { drawLines } from './pdf-lines.ts'
import { ACCENT, INK, PAGE, RULE, SOFT, WIDTH } from './pdf-style.ts'
import type { Printable } from './pdf-style.ts'
import { drawSums } from './pdf-sums.ts'
import { textsOf } from './texts.ts'
import type { Language, Texts } from './texts.ts'

const FONT = fileURLToPath(new URL('../../../../assets/fonts/NotoSansSC-Regular.ttf', import.meta.url))
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
  const whole = buffer(pdf)
  drawHead(pdf, printable, texts)
  const after = drawLines(pdf, printable, texts)
  drawSums(pdf, printable, { texts, top: after })
  drawFeet(pdf, document, texts)
  pdf.end()
  return whole
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

import { chinaDate } from '#kernel'
import { formatFen } from '../model/fen.ts'
import type { Payee } from '../statements/store.ts'
import type { Run } from './store.ts'

/** What begins a formula in a spreadsheet is told to be text (OWASP, CSV injection). */
const FORMULA = /^[=+\-@\t\r＝＋－＠]/u

function cell(text: string): string {
  const harmless = FORMULA.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}

/**
 * A payment file: CSV (RFC 4180, UTF-8 with a mark, CRLF). One `PAY` record for each settlement that is posted and to be paid, and a last
 * record `TRAILER` with their number and sum, by which a cut or altered file is noticed:
 *
 *     PAY,settlement,payee,account,bank,amount,currency,purpose
 *     TRAILER,count,sum,date
 */
export function paymentFile(payments: readonly { readonly run: Run; readonly payee: Payee }[], nowMs: number): string {
  const due = payments.flatMap(({ run, payee }) => {
    const fen = run.figures?.payableFen ?? 0n
    return fen > 0n ? [{ run, payee, fen }] : []
  })
  const records = due.map(({ run, payee, fen }) => [
    ...['PAY', run.id, payee.name, payee.bankAccount, payee.bank, formatFen(fen), 'CNY'],
    `词元服务费 ${run.period} ${run.supplier}`,
  ])
  const sum = due.reduce((all, { fen }) => all + fen, 0n)
  const trailer = ['TRAILER', `${due.length}`, formatFen(sum), chinaDate(nowMs)]
  return `\uFEFF${[...records, trailer].map((record) => `${record.map(cell).join(',')}\r\n`).join('')}`
}

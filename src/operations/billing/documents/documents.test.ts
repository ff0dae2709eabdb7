import { expect, test } from 'vitest'
import type { Document, FiledLine } from '../run/model.ts'
import { harmless } from './csv.ts'
import type { DetailRow } from './detail.ts'
import { renderPdf } from './pdf.ts'
import { detailXlsx } from './xlsx.ts'

const party = {
  name: '安客（上海）人工智能科技发展有限公司第二研究院大模型应用创新与产业化联合实验室',
  uscc: '9164010035A1B2C3DH',
  address: '上海市浦东新区张江高科技园区博云路 2 号 A 座 1801–1806 室',
  phone: null,
  bank: '示例银行',
  bankAccount: '2902 0123',
  email: null,
  termsDays: 30,
}

const line = (position: number): FiledLine => ({
  ...{
    document: 'doc_1',
    position,
    charge: 'chg_1',
    revision: 1,
    grossPico: 0n,
    requests: 1_234_567,
    tokens: 98_765_432_101_234n,
  },
  ...{
    fromSeq: 0,
    toSeq: 9,
    credits: null,
    period: position % 7 === 0 ? '2026-10' : '2026-11',
    service: 'x',
    sheet: 'x:sell:2026-11-01',
  },
  description: 'deepseek-ai/DeepSeek-V3.2-Exp-Thinking-Long-Context-128k:turbo',
  ...{
    taxPercent: position % 2 === 0 ? 6 : 9,
    grossFen: 1_060_000_000_000n,
    netFen: 1_000_000_000_000n,
    taxFen: 60_000_000_000n,
    dueFen: 0n,
  },
})

const document: Document = {
  ...{ id: 'doc_1', kind: 'invoice', tenant: 'acme', period: '2026-11', corrects: null, reason: null, state: 'sent' },
  ...{
    number: 'INV-2026-000042',
    grossFen: 106n,
    netFen: 100n,
    taxFen: 6n,
    dueFen: 106n,
    coveredFen: 0n,
    seller: party,
    buyer: party,
  },
  ...{ postingId: null, createdAtMs: 0, issuedAtMs: 1_796_000_000_000, dueAtMs: 1_798_000_000_000, dunning: 'none' },
}

const pages = (pdf: Buffer): number => pdf.toString('latin1').match(/\/Type \/Page\b(?!s)/g)?.length ?? 0

test('a document has as many pages as it needs, in both languages, and the same bytes every time', async () => {
  const of = (language: 'zh-CN' | 'en', count: number) =>
    renderPdf({ document, lines: Array.from({ length: count }, (_, n) => line(n + 1)), corrects: null }, language)
  expect(pages(await of('en', 0))).toBe(1)
  expect(pages(await of('zh-CN', 60))).toBeGreaterThan(3)
  const three = await of('zh-CN', 3)
  expect(pages(three)).toBe(1)
  expect((await of('zh-CN', 3)).equals(three)).toBe(true)
  expect((await of('en', 3)).equals(three)).toBe(false)
})

test('what a spreadsheet would run is told to be text; everything else stays as it is', () => {
  for (const formula of ['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\r=1', '＝1', '＠x'])
    expect(harmless(formula)).toBe(`'${formula}`)
  for (const plain of ['', 'qwen/qwen3-32b', 'a=b', '2026-11', '中文']) expect(harmless(plain)).toBe(plain)
})

test('a workbook that would not fit a spreadsheet or a memory is refused', async () => {
  const none = { uncachedInput: 0, cacheWrite: 0, cacheRead: 0, output: 0, reasoning: 0 }
  const row: DetailRow = {
    ...{ line: line(1), kind: 'fee', booked: null, covered: none, prices: null, reservationPico: 0n },
    ...{ amountPico: 1n, giftPico: 0n, billedPico: 1n, creditPico: 0n },
  }
  async function* rows(count: number): AsyncGenerator<DetailRow> {
    for (let n = 0; n < count; n++) yield row
  }
  const terms = { lines: [], language: 'en', most: 100 } as const
  await expect(detailXlsx(rows(101), terms)).rejects.toMatchObject({ type: { code: 'too_many_rows' } })
  expect((await detailXlsx(rows(100), terms)).subarray(0, 2).toString()).toBe('PK')
})

import type { DocumentKind } from '../model/number.ts'

export const LANGUAGES = ['zh-CN', 'en'] as const
export type Language = (typeof LANGUAGES)[number]

export interface Texts {
  readonly titles: Readonly<Record<DocumentKind, string>>
  readonly notice: string
  readonly seller: string
  readonly buyer: string
  readonly uscc: string
  readonly address: string
  readonly phone: string
  readonly bank: string
  readonly bankAccount: string
  readonly email: string
  readonly number: string
  readonly draft: string
  readonly issued: string
  readonly period: string
  readonly dueDate: string
  readonly corrects: string
  readonly reason: string
  readonly currency: string
  readonly position: string
  readonly description: string
  readonly month: string
  readonly requests: string
  readonly tokens: string
  readonly taxRate: string
  readonly net: string
  readonly tax: string
  readonly gross: string
  readonly usage: string
  readonly fee: string
  readonly prior: string
  readonly sheet: string
  readonly noLines: string
  readonly taxSummary: string
  readonly total: string
  readonly inWords: string
  readonly fromWallet: string
  readonly toPay: string
  readonly credited: string
  readonly payment: string
  readonly remark: string
  readonly detail: string
  readonly page: (page: number, pages: number) => string
}

const ZH: Texts = {
  titles: { invoice: '账单', statement: '消费对账单', credit_note: '贷项通知单' },
  notice: '本单据为商业账单，不是增值税发票；增值税发票以税务数字账户中的数电发票为准。',
  seller: '销售方',
  buyer: '购买方',
  uscc: '统一社会信用代码',
  address: '地址',
  phone: '电话',
  bank: '开户银行',
  bankAccount: '银行账号',
  email: '邮箱',
  number: '编号',
  draft: '草稿，尚未开具',
  issued: '开具日期',
  period: '账期',
  dueDate: '付款截止日',
  corrects: '更正单据',
  reason: '原因',
  currency: '币种',
  position: '序号',
  description: '项目',
  month: '账期',
  requests: '请求数',
  tokens: 'Token 数',
  taxRate: '税率',
  net: '不含税金额',
  tax: '税额',
  gross: '价税合计',
  usage: '模型服务',
  fee: '费用',
  prior: '以前账期补记',
  sheet: '价目表',
  noLines: '本账期没有需要结算的项目。',
  taxSummary: '税额汇总',
  total: '合计',
  inWords: '价税合计（大写）',
  fromWallet: '已由账户余额支付',
  toPay: '应付金额',
  credited: '冲减金额',
  payment: '付款方式',
  remark: '汇款时请注明编号',
  detail: '每一次请求的用量与单价见随附的 Token 明细（CSV / XLSX），可据此逐行复算本单。',
  page: (page, pages) => `第 ${page} 页，共 ${pages} 页`,
}

const EN: Texts = {
  titles: { invoice: 'Invoice', statement: 'Consumption statement', credit_note: 'Credit note' },
  notice:
    'This is a commercial document and not a Chinese VAT invoice (fapiao), which the tax platform issues separately.',
  seller: 'Seller',
  buyer: 'Buyer',
  uscc: 'Unified social credit code',
  address: 'Address',
  phone: 'Phone',
  bank: 'Bank',
  bankAccount: 'Account number',
  email: 'E-mail',
  number: 'Number',
  draft: 'Draft, not issued',
  issued: 'Date of issue',
  period: 'Billing month',
  dueDate: 'Payment due',
  corrects: 'Corrects',
  reason: 'Reason',
  currency: 'Currency',
  position: 'No.',
  description: 'Description',
  month: 'Month',
  requests: 'Requests',
  tokens: 'Tokens',
  taxRate: 'VAT',
  net: 'Net',
  tax: 'Tax',
  gross: 'Gross',
  usage: 'Model service',
  fee: 'Fee',
  prior: 'prior period',
  sheet: 'price sheet',
  noLines: 'There is nothing to settle for this month.',
  taxSummary: 'Tax summary',
  total: 'Total',
  inWords: 'Gross amount in words (大写)',
  fromWallet: 'Paid from the wallet',
  toPay: 'Amount due',
  credited: 'Amount credited',
  payment: 'Payment',
  remark: 'Please quote the number with your transfer',
  detail:
    'The tokens and prices of every request are in the token detail (CSV / XLSX) that belongs to this document; it can be recomputed from them.',
  page: (page, pages) => `Page ${page} of ${pages}`,
}

export function textsOf(language: Language): Texts {
  return language === 'zh-CN' ? ZH : EN
}

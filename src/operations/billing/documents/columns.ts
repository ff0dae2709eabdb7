import { TOKEN_CLASSES, formatPricePerMillion, formatYuan } from '#kernel'
import type { TokenClass } from '#kernel'
import type { DetailRow } from './detail.ts'
import type { Language } from './texts.ts'

/** One column of the token detail. Numbers are plain decimals, exact to the last digit. */
export interface DetailColumn {
  readonly name: Readonly<Record<Language, string>>
  readonly type: 'text' | 'number'
  readonly value: (row: DetailRow) => string
}

const CLASS_NAMES: Readonly<Record<TokenClass, { readonly en: string; readonly zh: string }>> = {
  uncachedInput: { en: 'input', zh: '输入' },
  cacheWrite: { en: 'cache_write', zh: '缓存写入' },
  cacheRead: { en: 'cache_read', zh: '缓存读取' },
  output: { en: 'output', zh: '输出' },
  reasoning: { en: 'reasoning', zh: '推理' },
}

const CHINA_OFFSET_MS = 8 * 3_600_000

function chinaTime(atMs: number): string {
  return `${new Date(atMs + CHINA_OFFSET_MS).toISOString().slice(0, -1)}+08:00`
}

const text = (en: string, zh: string, value: DetailColumn['value']): DetailColumn => ({
  name: { en, 'zh-CN': zh },
  type: 'text',
  value,
})
const number = (en: string, zh: string, value: DetailColumn['value']): DetailColumn => ({
  name: { en, 'zh-CN': zh },
  type: 'number',
  value,
})

/**
 * amount = Σ (tokens − covered) × price ÷ 1,000,000 − reservation; billed = amount − gift. The billed amounts of a line, summed and
 * rounded once to 0.01, are the line; of later lines of the same charge, what that sum adds to the rounded sum before.
 */
export const DETAIL_COLUMNS: readonly DetailColumn[] = [
  number('line', '序号', ({ line }) => `${line.position}`),
  text('kind', '类型', ({ kind }) => kind),
  text('request_id', '请求编号', ({ booked }) => booked?.record.id ?? ''),
  text('completed_at', '完成时间', ({ booked }) => (booked ? chinaTime(booked.record.completedAtMs) : '')),
  text('period', '账期', ({ line }) => line.period),
  text('tenant', '租户', ({ booked }) => booked?.record.tenant ?? ''),
  text('key', '密钥', ({ booked }) => booked?.record.key ?? ''),
  text('service', '服务', ({ line }) => line.service ?? line.description),
  text('price_sheet', '价目表', ({ line }) => line.sheet ?? ''),
  text('tier', '服务等级', ({ booked }) => (booked ? (booked.record.tier ?? 'standard') : '')),
  number('tax_percent', '税率%', ({ line }) => `${line.taxPercent}`),
  ...TOKEN_CLASSES.map((name) =>
    number(
      `${CLASS_NAMES[name].en}_tokens`,
      `${CLASS_NAMES[name].zh}Token`,
      ({ kind, booked }) => `${(kind === 'usage' && booked?.record.tokens[name]) || 0}`,
    ),
  ),
  ...TOKEN_CLASSES.map((name) =>
    number(
      `${CLASS_NAMES[name].en}_covered`,
      `${CLASS_NAMES[name].zh}Token（套餐抵扣）`,
      ({ covered }) => `${covered[name]}`,
    ),
  ),
  ...TOKEN_CLASSES.map((name) =>
    number(`${CLASS_NAMES[name].en}_price_per_million`, `${CLASS_NAMES[name].zh}单价（元/百万）`, ({ prices }) =>
      prices ? formatPricePerMillion(prices[name]) : '',
    ),
  ),
  number('reservation_yuan', '预留支付（元）', ({ reservationPico }) => formatYuan(reservationPico)),
  number('amount_yuan', '金额（元）', ({ amountPico }) => formatYuan(amountPico)),
  number('gift_yuan', '赠送抵扣（元）', ({ giftPico }) => formatYuan(giftPico)),
  number('billed_yuan', '计费金额（元）', ({ billedPico }) => formatYuan(billedPico)),
  number('on_credit_yuan', '其中后付费（元）', ({ creditPico }) => formatYuan(creditPico)),
]

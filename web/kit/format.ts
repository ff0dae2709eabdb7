import { formatUnits, formatYuan } from '#kernel'

/** Everything that turns a value into text for people, for one locale. Money goes in as exact pico text or bigint. */
export type Format = ReturnType<typeof createFormat>

export function createFormat(locale: string) {
  const integer = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 })
  const decimal = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 })
  const compact = new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 })
  const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 })
  const finePercent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 3 })
  const unit = new Intl.NumberFormat(locale, { maximumFractionDigits: 6 })
  const yuan = moneyFormat(locale, 2)
  const fineYuan = moneyFormat(locale, 6)
  const day = { month: '2-digit', day: '2-digit' } as const
  const clock = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
  const time = new Intl.DateTimeFormat(locale, clock)
  const dateTime = new Intl.DateTimeFormat(locale, { ...day, ...clock, second: '2-digit' })
  const date = new Intl.DateTimeFormat(locale, { year: 'numeric', ...day })
  const fullDateTime = new Intl.DateTimeFormat(locale, { year: 'numeric', ...day, ...clock, second: '2-digit' })

  /** `Intl` reads decimal strings exactly, so no digit of an amount passes through a float. */
  const write = (format: Intl.NumberFormat, pico: bigint | string) =>
    format.format(formatYuan(BigInt(pico)) as Intl.StringNumericLiteral)

  return {
    locale,
    count: (value: number | bigint) => integer.format(value),
    decimal: (value: number) => decimal.format(value),
    compact: (value: number) => compact.format(value),
    percent: (part: number, whole: number) => (whole === 0 ? percent.format(0) : percent.format(part / whole)),
    /** A share in millionths, exact enough to tell 99.95 % from 99.99 %. */
    ppm: (value: number) => finePercent.format(value / 1e6),
    /** An amount with at least two decimals and all digits it has. */
    money: (pico: bigint | string) => write(yuan, pico),
    /** The same with at least six decimals, for columns of per-request amounts. */
    fineMoney: (pico: bigint | string) => write(fineYuan, pico),
    /** An amount that is written in yuan already, as documents have it. */
    yuan: (text: string) => yuan.format(text as Intl.StringNumericLiteral),
    /** Millionths of a conversion table's unit, with all digits they have. */
    units: (millionths: bigint | string) => unit.format(formatUnits(BigInt(millionths)) as Intl.StringNumericLiteral),
    date: (ms: number) => date.format(ms),
    time: (ms: number) => time.format(ms),
    dateTime: (ms: number) => dateTime.format(ms),
    fullDateTime: (ms: number) => fullDateTime.format(ms),
    /** A duration in the unit that reads best. */
    duration: (ms: number) => (ms < 1000 ? `${integer.format(ms)} ms` : `${(ms / 1000).toFixed(2)} s`),
  }
}

function moneyFormat(locale: string, minimumFractionDigits: number): Intl.NumberFormat {
  return new Intl.NumberFormat(locale, {
    style: 'currency',
    currency: 'CNY',
    currencyDisplay: 'narrowSymbol',
    minimumFractionDigits,
    maximumFractionDigits: 12,
  })
}

/** Sums pico texts exactly. */
export function sumPico(amounts: Iterable<string>): bigint {
  let sum = 0n
  for (const amount of amounts) sum += BigInt(amount)
  return sum
}

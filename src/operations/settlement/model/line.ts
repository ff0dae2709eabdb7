import type { StatementMapping } from '#contract'
import { DAY_MS, dayNumber, divideHalfUp } from '#kernel'
import { parseDecimal, scaled } from './decimal.ts'
import type { DecimalFlaw } from './decimal.ts'

/** A row of a file: its number there, and its cells by heading. Absent cells are ''. */
export interface Row {
  readonly line: number
  readonly cells: ReadonlyMap<string, string>
}

/** A line of a statement in our units: tokens and pico-yuan. */
export interface Line {
  readonly line: number
  readonly request: string | null
  readonly day: number | null
  readonly model: string
  readonly ourModel: string
  readonly input: bigint
  readonly cached: bigint | null
  readonly output: bigint
  readonly netPico: bigint
  readonly taxPico: bigint | null
}

export interface RowFlaw {
  readonly line: number
  readonly column: string
  readonly reason:
    | DecimalFlaw
    | 'empty'
    | 'too_long'
    | 'formula'
    | 'control_character'
    | 'not_a_day'
    | 'not_a_request'
    | 'cached_above_input'
}

const TOKEN_DECIMALS = { token: 0, thousand: 3, million: 6 } as const
const AMOUNT_DECIMALS = { yuan: 12, fen: 10, millionth_yuan: 6 } as const
/** Ten trillion yuan and tokens; the columns hold more. */
const MOST = 10n ** 25n
const MOST_TOKENS = 10n ** 15n
/** What a spreadsheet would run. */
const FORMULA = /^[=+@\t\r＝＋＠]/u
/** 1899-12-30, the day that spreadsheets count from. */
const SPREADSHEET_EPOCH = dayNumber('1899-12-30')

/** Reads a row by a mapping: the line, or the first thing that is wrong with it. */
export function readRow(row: Row, mapping: StatementMapping): Line | RowFlaw {
  const { columns } = mapping
  const flaw = (column: string, reason: RowFlaw['reason']): RowFlaw => ({ line: row.line, column, reason })
  const text = (column: string, most: number): string | RowFlaw => {
    const value = (row.cells.get(column) ?? '').trim()
    if (value === '') return flaw(column, 'empty')
    if (value.length > most) return flaw(column, 'too_long')
    if (/\p{Cc}/u.test(value)) return flaw(column, 'control_character')
    return FORMULA.test(value) ? flaw(column, 'formula') : value
  }
  const number = (column: string, decimals: number, most: bigint): bigint | RowFlaw => {
    const value = text(column, 60)
    if (typeof value !== 'string') return value
    const parsed = parseDecimal(value, { thousands: mapping.thousandsSeparators })
    if (typeof parsed === 'string') return flaw(column, parsed)
    const whole = scaled(parsed, decimals)
    if (typeof whole === 'string') return flaw(column, whole)
    return whole > most ? flaw(column, 'too_large') : whole
  }
  const tokens = (column: string) => number(column, TOKEN_DECIMALS[mapping.tokenUnit], MOST_TOKENS)
  const money = (column: string) => number(column, AMOUNT_DECIMALS[mapping.amountUnit], MOST)

  const model = text(columns.model, 256)
  if (typeof model !== 'string') return model
  const request = columns.request === undefined ? null : requestOf(text(columns.request, 64), columns.request, flaw)
  if (request !== null && typeof request !== 'string') return request
  const day = columns.day === undefined ? null : dayOf(text(columns.day, 40), columns.day, { mapping, flaw })
  if (day !== null && typeof day !== 'number') return day
  const input = tokens(columns.input)
  if (typeof input !== 'bigint') return input
  const cached = columns.cached === undefined ? null : tokens(columns.cached)
  if (cached !== null && typeof cached !== 'bigint') return cached
  const output = tokens(columns.output)
  if (typeof output !== 'bigint') return output
  const amount = money(columns.amount)
  if (typeof amount !== 'bigint') return amount
  const tax = columns.tax === undefined ? null : money(columns.tax)
  if (tax !== null && typeof tax !== 'bigint') return tax
  const wholeInput = mapping.inputIncludesCached || cached === null ? input : input + cached
  if (cached !== null && cached > wholeInput) return flaw(columns.cached ?? '', 'cached_above_input')
  return {
    line: row.line,
    request: mapping.granularity === 'request' ? request : null,
    day,
    model,
    ourModel: mapping.models[model] ?? model,
    input: wholeInput,
    cached,
    output,
    netPico: netOf(amount, tax, mapping),
    taxPico: tax,
  }
}

type Flaw = (column: string, reason: RowFlaw['reason']) => RowFlaw

/** Ids of ours are safe in any text; what is not written like one can match nothing, but it is the supplier's to say. */
function requestOf(value: string | RowFlaw, column: string, flaw: Flaw): string | RowFlaw {
  if (typeof value !== 'string') return value
  return /^[!-~]+$/.test(value) ? value : flaw(column, 'not_a_request')
}

function dayOf(
  value: string | RowFlaw,
  column: string,
  { mapping, flaw }: { mapping: StatementMapping; flaw: Flaw },
): number | RowFlaw {
  if (typeof value !== 'string') return value
  const day = dayIn(value, mapping)
  return day === undefined || day < 0 || day > 100_000 ? flaw(column, 'not_a_day') : day
}

function dayIn(value: string, { dayFormat, utcOffsetMinutes }: StatementMapping): number | undefined {
  const offsetMs = utcOffsetMinutes * 60_000
  switch (dayFormat) {
    case 'date':
      return dayOfDate(/^(\d{4}-\d{2}-\d{2})(?:[T ].{0,30})?$/.exec(value)?.[1])
    case 'compact':
      return /^\d{8}$/.test(value)
        ? dayOfDate(`${value.slice(0, 4)}-${value.slice(4, 6)}-${value.slice(6)}`)
        : undefined
    case 'epoch_s':
      return /^\d{1,11}$/.test(value) ? Math.floor((Number(value) * 1000 + offsetMs) / DAY_MS) : undefined
    case 'epoch_ms':
      return /^\d{1,14}$/.test(value) ? Math.floor((Number(value) + offsetMs) / DAY_MS) : undefined
    case 'spreadsheet':
      return /^\d{1,6}(?:\.\d+)?$/.test(value) ? SPREADSHEET_EPOCH + Math.floor(Number(value)) : undefined
  }
}

function dayOfDate(date: string | undefined): number | undefined {
  try {
    return date === undefined ? undefined : dayNumber(date)
  } catch {
    return undefined
  }
}

/** Without tax; where only the sum is told, net is rounded half up to one pico. */
function netOf(amount: bigint, tax: bigint | null, { amountIncludesTax, taxPercent }: StatementMapping): bigint {
  if (!amountIncludesTax) return amount
  if (tax !== null) return amount > tax ? amount - tax : 0n
  return divideHalfUp(amount * 100n, BigInt(100 + taxPercent))
}

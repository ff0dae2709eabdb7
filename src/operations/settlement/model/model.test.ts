import fc from 'fast-check'
import { expect, test } from 'vitest'
import { StatementMapping } from '#contract'
import { balanced } from '#ledger'
import { parseDecimal, scaled } from './decimal.ts'
import { figuresOf, readFigures, settlementEntries, writeFigures } from './figures.ts'
import type { Facts } from './figures.ts'
import { readRow } from './line.ts'

const base = {
  format: 'csv',
  granularity: 'request',
  columns: {
    request: 'id',
    day: 'day',
    model: 'model',
    input: 'in',
    cached: 'hit',
    output: 'out',
    amount: 'sum',
    tax: 'vat',
  },
  tokenUnit: 'token',
  amountUnit: 'yuan',
  amountIncludesTax: false,
  taxPercent: 6,
} as const

const good = { id: 'req_1', day: '2026-11-30', model: 'm', in: '100', hit: '40', out: '7', sum: '1.5', vat: '0.09' }

function read(cells: Readonly<Record<string, string>>, change: object = {}) {
  const mapping = StatementMapping.parse({ ...base, ...change })
  return readRow({ line: 9, cells: new Map(Object.entries({ ...good, ...cells })) }, mapping)
}

test('units of tokens, money and days are what the mapping says', () => {
  expect(read({})).toMatchObject({
    request: 'req_1',
    input: 100n,
    cached: 40n,
    output: 7n,
    netPico: 1_500_000_000_000n,
    day: 20_787,
  })
  expect(read({ in: '1.5', hit: '0.000001', out: '2' }, { tokenUnit: 'million' })).toMatchObject({
    input: 1_500_000n,
    cached: 1n,
    output: 2_000_000n,
  })
  expect(read({ in: '1.5', hit: '1' }, { tokenUnit: 'thousand' })).toMatchObject({ input: 1_500n, cached: 1_000n })
  expect(read({ sum: '150', vat: '9' }, { amountUnit: 'fen' })).toMatchObject({
    netPico: 1_500_000_000_000n,
    taxPico: 90_000_000_000n,
  })
  expect(read({ sum: '1500000' }, { amountUnit: 'millionth_yuan' })).toMatchObject({ netPico: 1_500_000_000_000n })
  expect(read({ sum: '1.59' }, { amountIncludesTax: true })).toMatchObject({ netPico: 1_500_000_000_000n })
  const { tax: _, ...untaxed } = base.columns
  expect(read({ sum: '1.06' }, { amountIncludesTax: true, columns: untaxed })).toMatchObject({
    netPico: 1_000_000_000_000n,
  })
  expect(read({ in: '60' }, { inputIncludesCached: false })).toMatchObject({ input: 100n })
  expect(read({ sum: '1,234.5' }, { thousandsSeparators: true })).toMatchObject({ netPico: 1_234_500_000_000_000n })
  expect(read({ day: '20261130' }, { dayFormat: 'compact' })).toMatchObject({ day: 20_787 })
  // Six in the evening in London is already the next day in China.
  expect(read({ day: '1796061600' }, { dayFormat: 'epoch_s', utcOffsetMinutes: 0 })).toMatchObject({ day: 20_787 })
  expect(read({ day: '1796061600' }, { dayFormat: 'epoch_s' })).toMatchObject({ day: 20_788 })
  expect(read({ day: '46356.75' }, { dayFormat: 'spreadsheet' })).toMatchObject({ day: 20_787 })
  expect(read({}, { models: { m: 'glm-5' } })).toMatchObject({ model: 'm', ourModel: 'glm-5' })
})

test('what is wrong with a row is named with its line and column', () => {
  for (const [cells, column, reason] of [
    [{ in: '-1' }, 'in', 'negative'],
    [{ sum: '-0.01' }, 'sum', 'negative'],
    [{ sum: '1e400' }, 'sum', 'too_large'],
    [{ sum: '9'.repeat(59) }, 'sum', 'too_large'],
    [{ sum: 'NaN' }, 'sum', 'not_a_number'],
    [{ sum: '0x10' }, 'sum', 'not_a_number'],
    [{ sum: '1,234.5' }, 'sum', 'not_a_number'],
    [{ sum: '0.0000000000001' }, 'sum', 'too_precise'],
    [{ in: '1.5' }, 'in', 'too_precise'],
    [{ sum: '' }, 'sum', 'empty'],
    [{ sum: '=1+1' }, 'sum', 'formula'],
    [{ model: '@SUM(A1)' }, 'model', 'formula'],
    [{ model: 'x'.repeat(300) }, 'model', 'too_long'],
    [{ model: 'a\0b' }, 'model', 'control_character'],
    [{ day: '2026-02-30' }, 'day', 'not_a_day'],
    [{ id: '请求' }, 'id', 'not_a_request'],
    [{ hit: '101' }, 'hit', 'cached_above_input'],
  ] as const)
    expect(read(cells), JSON.stringify(cells)).toEqual({ line: 9, column, reason })
})

test('a decimal is read exactly, or not at all', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.integer({ min: 0, max: 12 }), (digits, decimals) => {
      const text = digits.toString().padStart(decimals + 1, '0')
      const written = decimals === 0 ? text : `${text.slice(0, -decimals)}.${text.slice(-decimals)}`
      const parsed = parseDecimal(written, { thousands: false })
      expect(typeof parsed === 'string' ? parsed : scaled(parsed, 12)).toBe(digits * 10n ** BigInt(12 - decimals))
    }),
  )
})

const amount = fc.bigInt({ min: 0n, max: 10n ** 20n })
const facts: fc.Arbitrary<Facts> = fc.record({
  accruedPico: amount,
  roundingPico: fc.bigInt({ min: -(10n ** 9n), max: 10n ** 9n }),
  agreedPico: fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }),
  taxAgreedPico: fc.bigInt({ min: 0n, max: 10n ** 14n }),
  heldPico: amount,
  freedPico: amount,
  releasedPico: amount,
  taxPercent: fc.constantFrom(0, 6, 9, 13),
  penaltyFen: fc.bigInt({ min: 0n, max: 10n ** 9n }),
  recountFen: fc.bigInt({ min: 0n, max: 10n ** 9n }),
  receivablePico: fc.bigInt({ min: 0n, max: 10n ** 18n }),
})

test('whatever a settlement is made from: it balances, empties what accrued, and pays whole fen, never less than nothing', () => {
  fc.assert(
    fc.property(facts, (made) => {
      const figures = figuresOf(made)
      const entries = balanced(settlementEntries('s', figures))
      const entry = (account: string) => entries.find((each) => each.account === account)?.amountPico ?? 0n
      expect(entry('2110:s')).toBe(made.accruedPico)
      if (figures.grossFen >= 0n) expect(figures.payableFen).toBeGreaterThanOrEqual(0n)
      expect(entry('2100:s')).toBe(-figures.payableFen * 10_000_000_000n)
      const residue = entry('5020') - made.roundingPico
      expect(residue >= -5_000_000_000n && residue <= 5_000_000_000n).toBe(true)
      expect(readFigures(writeFigures(figures))).toEqual(figures)
    }),
  )
})

test('golden: 1,000.004 accrued, 2 accepted, 3 in dispute, 50 penalty, 6 % VAT', () => {
  const yuan = (milli: bigint) => milli * 10n ** 9n
  const none = {
    roundingPico: 0n,
    taxAgreedPico: 0n,
    freedPico: 0n,
    releasedPico: 0n,
    recountFen: 0n,
    receivablePico: 0n,
  }
  const figures = figuresOf({
    ...none,
    ...{
      accruedPico: yuan(1_000_004n),
      agreedPico: yuan(2_000n),
      heldPico: yuan(3_000n),
      taxPercent: 6,
      penaltyFen: 5_000n,
    },
  })
  expect(figures).toMatchObject({
    netFen: 100_200n,
    taxFen: 6_012n,
    grossFen: 106_212n,
    nettedFen: 5_000n,
    payableFen: 101_212n,
  })
  const entries = Object.fromEntries(
    balanced(settlementEntries('s', figures)).map(({ account, amountPico }) => [account, amountPico]),
  )
  expect(entries).toEqual({
    '1300': yuan(60_120n),
    '2100:s': -yuan(1_012_120n),
    '2110:s': yuan(1_000_004n),
    '2115:s': -yuan(3_000n),
    '5020': -yuan(4n),
    '5060:s': yuan(5_000n),
    '5070:s': -yuan(50_000n),
  })
})

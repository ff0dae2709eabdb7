import { expect, test } from 'vitest'
import { parseTopUp, turnoverOf, walletChange } from './posting-amounts.ts'

const usage = [
  { account: '2000:acme', amountPico: '1060' },
  { account: '4000:chat', amountPico: '-1000' },
  { account: '2210', amountPico: '-60' },
  { account: '5000:gpu', amountPico: '400' },
  { account: '2110:gpu', amountPico: '-400' },
]

test('usage takes money from the wallet and a top-up brings money in', () => {
  expect(walletChange(usage, 'acme')).toBe(-1060n)
  expect(
    walletChange(
      [
        { account: '1010', amountPico: '5' },
        { account: '2000:acme', amountPico: '-5' },
      ],
      'acme',
    ),
  ).toBe(5n)
  expect(walletChange(usage, 'other')).toBe(0n)
})

test('gifts, credit and invoices move the wallet, an invoice only renames what is owed, and units are no money', () => {
  const change = (...entries: readonly (readonly [string, string])[]) =>
    walletChange(
      entries.map(([account, amountPico]) => ({ account, amountPico })),
      'acme',
    )
  expect(change(['2009:acme', '7'], ['2001:acme', '-7'])).toBe(7n)
  expect(change(['1110:acme', '9'], ['4000:chat', '-9'])).toBe(-9n)
  expect(change(['1100:acme', '9'], ['1110:acme', '-9'])).toBe(0n)
  expect(change(['1010', '9'], ['1100:acme', '-9'])).toBe(9n)
  expect(turnoverOf([...usage, { account: '8010:acme/standard', amountPico: '5' }])).toBe(1460n)
})

test('turnover counts the debit side only', () => {
  expect(turnoverOf(usage)).toBe(1460n)
})

test('only a positive plain decimal can be topped up', () => {
  expect(parseTopUp('100.5')).toBe(100_500_000_000_000n)
  expect(parseTopUp('0.000000000001')).toBe(1n)
  for (const refused of ['', '0', '-5', '1e3', '1,000', '0.0000000000001', 'NaN', '١٢'])
    expect(parseTopUp(refused)).toBeUndefined()
})

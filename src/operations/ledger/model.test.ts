import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chainHash, evidenceOf, inputHash } from './chain.ts'
import { accountType, balanced } from './model.ts'

const account = fc.constantFrom(
  '1010',
  '2210',
  '2000:acme',
  '2000:zeta',
  '4000:qwen/qwen3:32b',
  '5000:vllm',
  '2110:vllm',
)
const entry = fc.record({ account, amountPico: fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }) })
const closed = fc
  .array(entry, { maxLength: 20 })
  .map((entries) => [
    ...entries,
    { account: '1010', amountPico: -entries.reduce((sum, each) => sum + each.amountPico, 0n) },
  ])

test('merging entries keeps every account its sum, whatever their order', () => {
  fc.assert(
    fc.property(closed, fc.infiniteStream(fc.nat()), (entries, noise) => {
      const merged = balanced(entries)
      for (const { account: code, amountPico } of merged) {
        expect(entries.filter((each) => each.account === code).reduce((sum, each) => sum + each.amountPico, 0n)).toBe(
          amountPico,
        )
        expect(amountPico).not.toBe(0n)
      }
      const shuffled = entries
        .map((each) => ({ each, at: noise.next().value ?? 0 }))
        .toSorted((a, b) => a.at - b.at)
        .map(({ each }) => each)
      expect(balanced(shuffled)).toEqual(merged)
    }),
  )
})

test('entries that do not sum to zero, or name no account of the chart, are refused', () => {
  expect(() => balanced([{ account: '1010', amountPico: 1n }])).toThrow(RangeError)
  for (const wrong of ['9999', '2000', '2000:', '1010:acme', 'wallet', ''])
    expect(() => accountType(wrong)).toThrow(RangeError)
  expect(accountType('4000:qwen/qwen3:32b')).toBe('income')
})

const posting = {
  seq: 1,
  id: 'pst_1',
  key: 'k',
  kind: 'topup',
  memo: 'm',
  bookedAtMs: 5,
  facts: 1,
  evidence: null,
  prevHash: '0'.repeat(64),
  entries: [
    { account: '1010', amountPico: 5n },
    { account: '2000:acme', amountPico: -5n },
  ],
}

test('every part of a posting is under its hash', () => {
  const other = [
    { seq: 2 },
    { id: 'pst_2' },
    { key: 'l' },
    { kind: 'usage' },
    { memo: 'n' },
    { bookedAtMs: 6 },
    { facts: 2 },
    { evidence: 'ab' },
    { prevHash: '1'.repeat(64) },
    {
      entries: [
        { account: '1010', amountPico: 6n },
        { account: '2000:acme', amountPico: -6n },
      ],
    },
    { memo: 'm\nbooked 6' },
  ]
  const hashes = [posting, ...other.map((change) => ({ ...posting, ...change }))].map(chainHash)
  expect(new Set(hashes).size).toBe(other.length + 1)
})

test('a repetition at a later time is the same input', () => {
  expect(inputHash({ ...posting, bookedAtMs: 99 })).toBe(inputHash(posting))
  expect(inputHash({ ...posting, memo: 'other' })).not.toBe(inputHash(posting))
})

test('evidence does not depend on the order of the facts', () => {
  expect(evidenceOf(['b', 'a', 'c'])).toBe(evidenceOf(['c', 'b', 'a']))
  expect(evidenceOf(['a', 'b'])).not.toBe(evidenceOf(['a', 'b', 'b']))
})

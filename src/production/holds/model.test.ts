import fc from 'fast-check'
import { expect, test } from 'vitest'
import { heldSlice, join, needsRenewal, resolveHold, takeFrom, bucketAccount, wantedAmount } from './model.ts'
import { DEFAULT_LIMITS } from './options.ts'

const slice = (id: string, amount: bigint, tight = false) =>
  heldSlice({ id, bucket: 'wallet:t', epoch: 1, amount: `${amount}`, validUntilMs: 1_000, tight }, 0)
const limits = { ...DEFAULT_LIMITS, sliceMinPico: 100n, sliceMaxPico: 10_000n, sliceMs: 2_000 }

test('what is asked for covers the request and stays within the limits', () => {
  fc.assert(
    fc.property(
      fc.bigInt(1n, 50_000n),
      fc.bigInt(0n, 10n ** 12n),
      fc.bigInt(0n, 10n ** 9n),
      fc.nat(10_000),
      (amount, spent, held, ms) => {
        const account = { ...bucketAccount('wallet:t', 0), spent, held }
        const wanted = wantedAmount(account, amount, limits, ms)
        expect(wanted).toBeGreaterThanOrEqual(amount)
        expect(wanted).toBeGreaterThanOrEqual(limits.sliceMinPico)
        expect(wanted <= limits.sliceMaxPico || wanted === amount).toBe(true)
      },
    ),
  )
})

test('a slice lasts about two seconds at the rate of late', () => {
  const account = { ...bucketAccount('wallet:t', 0), spent: 1_000n }
  // 1,000 in one second, halved because the second before was idle: 500 a second.
  expect(wantedAmount(account, 1n, limits, 1_000)).toBe(1_000n)
})

test('the next slice is fetched at thirty percent, never on top of a tight one', () => {
  const account = bucketAccount('wallet:t', 0)
  join(account, slice('a', 100n))
  takeFrom(account, 69n, 0)
  expect(needsRenewal(account)).toBe(false)
  takeFrom(account, 1n, 0)
  expect(needsRenewal(account)).toBe(true)
  join(account, slice('b', 3n, true))
  expect(needsRenewal(account)).toBe(false)
})

test('a tight slice serves one request, an expired one none', () => {
  const account = bucketAccount('wallet:t', 0)
  join(account, slice('a', 100n, true))
  expect(takeFrom(account, 1n, 0)?.phase).toBe('draining')
  expect(takeFrom(account, 1n, 0)).toBeUndefined()
  join(account, slice('b', 100n))
  expect(takeFrom(account, 1n, 1_000)).toBeUndefined()
})

test('whatever is placed and resolved, holds and captures stay within the grant', () => {
  const step = fc.record({ amount: fc.bigInt(1n, 60n), share: fc.bigInt(0n, 100n), keepMs: fc.nat(5) })
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const account = bucketAccount('wallet:t', 0)
      const only = slice('a', 100n)
      join(account, only)
      let captured = 0n
      const open: Array<{ amount: bigint; spent: bigint; untilMs: number }> = []
      steps.forEach(({ amount, share, keepMs }, nowMs) => {
        for (const due of open.filter((each) => each.untilMs <= nowMs)) {
          resolveHold(account, only, due.amount, due.spent)
          captured += due.spent
          open.splice(open.indexOf(due), 1)
        }
        if (takeFrom(account, amount, 0)) open.push({ amount, spent: (amount * share) / 100n, untilMs: nowMs + keepMs })
        const held = open.reduce((sum, each) => sum + each.amount, 0n)
        expect(only.left + held + captured).toBe(100n)
        expect(only.left).toBeGreaterThanOrEqual(0n)
        expect(only.holds).toBe(open.length)
        expect(account.held).toBe(held)
      })
    }),
  )
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NO_TOKENS, TOKEN_CLASSES, parseTokenPrices, rate, upperBound } from '#kernel'
import type { TokenClass, TokenCounts } from '#kernel'
import { split } from './split.ts'
import type { MeansHold } from './split.ts'

const count = fc.nat(40)
const anyTokens = fc.record<TokenCounts>({
  uncachedInput: count,
  cacheWrite: count,
  cacheRead: count,
  output: count,
  reasoning: count,
})
const anyPrices = fc
  .tuple(...TOKEN_CLASSES.map(() => fc.oneof(fc.constant(0n), fc.bigInt(1n, 9n), fc.bigInt(1n, 10n ** 12n))))
  .map((all) =>
    parseTokenPrices(Object.fromEntries(TOKEN_CLASSES.map((name, i) => [name, `${all[i] ?? 0n}`])) as never),
  )
/** A share of a bound in percent: 100 is a hold that covers whatever the request may use. */
const percent = fc.oneof(fc.constant(100), fc.nat(100))
const inputs: readonly TokenClass[] = ['uncachedInput', 'cacheWrite', 'cacheRead']
const outputs: readonly TokenClass[] = ['output', 'reasoning']
const anyHold = fc.oneof(
  fc.record({ kind: fc.constant('money' as const), percent }),
  fc.record({
    kind: fc.constant('units' as const),
    percent,
    weights: anyPrices,
    classes: fc.constantFrom(TOKEN_CLASSES, inputs, outputs),
  }),
)
const sum = (all: readonly TokenCounts[], name: TokenClass): number =>
  all.reduce((total, each) => total + each[name], 0)

test('whatever is held and used, each share is within its hold, and every token is paid once', () => {
  fc.assert(
    fc.property(
      anyTokens,
      anyPrices,
      fc.array(anyHold, { maxLength: 5 }),
      count,
      count,
      (tokens, prices, wanted, moreIn, moreOut) => {
        const bounds = {
          inputTokens: tokens.uncachedInput + tokens.cacheWrite + tokens.cacheRead + moreIn,
          outputTokens: tokens.output + tokens.reasoning + moreOut,
        }
        // As at the hold: units up to their own bound, money up to what is left of the bound in money, the wallet the rest.
        let walletHold: bigint = upperBound(bounds, prices)
        const holds = wanted.map((hold): MeansHold => {
          if (hold.kind === 'units')
            return { ...hold, held: (upperBound(bounds, hold.weights) * BigInt(hold.percent)) / 100n }
          const held = (walletHold * BigInt(hold.percent)) / 100n
          walletHold -= held
          return { kind: 'money', held }
        })
        const { shares, rest } = split(tokens, prices, holds)
        expect(shares).toHaveLength(holds.length)
        const covered = shares.flatMap((share) => share.covered ?? [])
        shares.forEach((share, i) => {
          const hold = holds[i] as MeansHold
          expect(share.amount >= 0n && share.amount <= hold.held).toBe(true)
          expect(share.covered === null).toBe(hold.kind === 'money')
          if (share.covered && hold.kind === 'units') {
            expect(share.amount).toBe(rate(share.covered, hold.weights))
            for (const name of TOKEN_CLASSES) if (!hold.classes.includes(name)) expect(share.covered[name]).toBe(0)
          }
        })
        expect(rest >= 0n && rest <= walletHold).toBe(true)
        // What verify recomputes from a record.
        const uncovered = Object.fromEntries(
          TOKEN_CLASSES.map((name) => [name, tokens[name] - sum(covered, name)]),
        ) as unknown as TokenCounts
        const money = shares.reduce((total, share) => (share.covered ? total : total + share.amount), 0n)
        expect(rest).toBe(rate(uncovered, prices) - money)
      },
    ),
    { numRuns: 1_000 },
  )
})

test('units that cover the whole bound leave the wallet nothing', () => {
  fc.assert(
    fc.property(anyTokens, anyPrices, anyPrices, (tokens, prices, weights) => {
      const { shares, rest } = split(tokens, prices, [
        { kind: 'units', held: rate(tokens, weights), weights, classes: TOKEN_CLASSES },
      ])
      expect(rest).toBe(0n)
      expect(shares[0]?.covered).toEqual(tokens)
    }),
  )
})

const flat = (text: string) =>
  parseTokenPrices({ uncachedInput: text, cacheWrite: text, cacheRead: text, output: text, reasoning: text })

test('units run out inside a class, and the wallet pays from the next token on', () => {
  const tokens = { ...NO_TOKENS, uncachedInput: 10, output: 10 }
  const weights = { ...flat('2'), output: flat('3').output }
  const { shares, rest } = split(tokens, flat('7'), [{ kind: 'units', held: 26n, weights, classes: TOKEN_CLASSES }])
  expect(shares).toEqual([{ amount: 26n, covered: { ...NO_TOKENS, uncachedInput: 10, output: 2 } }])
  expect(rest).toBe(56n)
})

test('money that is reserved comes first where it stands first, to the last pico', () => {
  const tokens = { ...NO_TOKENS, uncachedInput: 4, output: 4 }
  const units = { kind: 'units', held: 100n, weights: flat('1'), classes: TOKEN_CLASSES } as const
  expect(split(tokens, flat('10'), [{ kind: 'money', held: 80n }, units])).toEqual({
    shares: [
      { amount: 80n, covered: null },
      { amount: 0n, covered: NO_TOKENS },
    ],
    rest: 0n,
  })
  // 25 pays for two whole tokens; the five that are left go towards what neither units nor whole tokens cover.
  expect(
    split(tokens, flat('10'), [
      { kind: 'money', held: 25n },
      { ...units, held: 3n },
    ]),
  ).toMatchObject({
    shares: [{ amount: 25n }, { amount: 3n, covered: { uncachedInput: 2, output: 1 } }],
    rest: 25n,
  })
})

test('an input and an output dimension cover a token each in its own', () => {
  const tokens = { uncachedInput: 3, cacheWrite: 0, cacheRead: 2, output: 4, reasoning: 1 }
  const { shares, rest } = split(tokens, flat('10'), [
    { kind: 'units', held: 50n, weights: { ...flat('10'), cacheRead: flat('0').output }, classes: inputs },
    { kind: 'units', held: 50n, weights: flat('10'), classes: outputs },
  ])
  expect(shares.map((share) => share.amount)).toEqual([30n, 50n])
  expect(rest).toBe(0n)
})

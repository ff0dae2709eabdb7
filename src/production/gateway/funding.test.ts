import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Draw, Means } from '#contract'
import { Problem, TOKEN_CLASSES, rate } from '#kernel'
import type { TokenClass, TokenCounts } from '#kernel'
import { settle } from '#metering'
import { meansOf, openingDraws, settledDraws } from './draws.ts'
import { MINUTE, bounds, flat, fundingStage, reserved, sell, std, table } from './simulated-funding.ts'

let stage: Awaited<ReturnType<typeof fundingStage>>
beforeAll(async () => {
  stage = await fundingStage()
})
afterAll(() => stage[Symbol.asyncDispose]())

const anyCount = fc.nat(50)
const anyActual = fc.record<TokenCounts>({
  uncachedInput: anyCount,
  cacheWrite: fc.nat(25),
  cacheRead: fc.nat(25),
  output: fc.nat(25),
  reasoning: fc.nat(25),
})
const anyWeights = fc
  .tuple(...TOKEN_CLASSES.map(() => fc.oneof(fc.constant(0n), fc.bigInt(1n, 5n), fc.bigInt(1n, 10n ** 7n))))
  .map(
    (all) =>
      Object.fromEntries(TOKEN_CLASSES.map((name, i) => [name, `${all[i] ?? 0n}`])) as Record<TokenClass, string>,
  )
const anyFill = fc.oneof(fc.constant(0n), fc.bigInt(1n, 2_000n), fc.constant(10n ** 12n))
const anyMeans: fc.Arbitrary<Means> = fc.oneof(
  fc.record({
    kind: fc.constant('wallet' as const),
    id: fc.uuid(),
    bucket: fc.constantFrom('wallet:t', 'wallet:o'),
    payer: fc.constantFrom('t', 'o'),
  }),
  fc.record({
    kind: fc.constant('tokens' as const),
    id: fc.uuid(),
    bucket: fc.constantFrom('tokens:a', 'tokens:b'),
    table: fc.constantFrom('std', 'odd', 'gone'),
  }),
  fc
    .record({
      dimensions: fc.constantFrom<Array<{ bucket: string; unit: string }>>(
        [{ bucket: 'throughput:money', unit: 'CNY' }],
        [{ bucket: 'throughput:std', unit: 'std' }],
        [
          { bucket: 'throughput:in', unit: 'in' },
          { bucket: 'throughput:out', unit: 'out' },
        ],
        [
          { bucket: 'throughput:odd', unit: 'odd' },
          { bucket: 'throughput:out', unit: 'out' },
        ],
        [{ bucket: 'throughput:gone', unit: 'gone' }],
      ),
      overflow: fc.constantFrom('next' as const, 'reject' as const),
      id: fc.uuid(),
    })
    .map(({ dimensions, overflow, id }) => reserved({ dimensions, overflow, id })),
)
const BUCKETS = [
  'wallet:t',
  'wallet:o',
  'tokens:a',
  'tokens:b',
  ...['money', 'std', 'in', 'out', 'odd'].map((name) => `throughput:${name}${MINUTE}`),
  'cap:k@2026-11-25',
]

test('whatever pays, however much there is and whatever is used: within every hold, each token paid once, and no slice named twice', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyMeans, { maxLength: 5 }),
      fc.tuple(...BUCKETS.map(() => anyFill)),
      anyWeights,
      fc.boolean(),
      fc.constantFrom('active' as const, 'active' as const, 'restricted' as const),
      anyActual,
      fc.constantFrom('completed' as const, 'failed' as const),
      async (means, fills, odd, isCapped, status, actual, ending) => {
        const before = stage.holds.stats().outstandingHolds
        const outcome = await stage.funded({
          // One that is no use keeps this from being the plain case, which needs no funding.
          means: [{ kind: 'tokens', id: 'x', bucket: 'tokens:x', table: 'gone' }, ...means],
          caps: isCapped ? [{ id: 'k', scope: 'key', bucket: 'cap:k', period: 'day', limitPico: '0' }] : [],
          status,
          tables: [std, table('odd', odd), table('in', flat(1n, 0n)), table('out', flat(0n, 1n))],
          filled: Object.fromEntries(BUCKETS.map((bucket, i) => [bucket, fills[i] ?? 0n])),
        })
        if (outcome instanceof Problem) {
          expect(outcome.type.status === 402 || outcome.type.status === 429).toBe(true)
          expect(stage.holds.stats().outstandingHolds).toBe(before)
          return
        }
        const { parts, wallet: walletHold } = outcome
        const settled = settle({
          ending,
          usage: usageOf(actual),
          sawOutput: true,
          hasText: () => true,
          recount: () => ({ input: 1, output: 1, method: 'test' }),
          isSampled: false,
          inputBound: bounds.inputTokens,
          outputBound: bounds.outputTokens,
          sell: () => sell,
          taxPercent: 6,
          buy: () => sell,
          means: meansOf(parts),
        })
        const draws = settledDraws(parts, settled.shares, settled.sell)
        walletHold.capture(settled.sell)
        draws.forEach((draw, i) => {
          expect(stage.bucketOf(draw.slice)).toBe(draw.bucket)
          parts[i]?.hold.capture(BigInt(draw.amount))
        })
        const named = [...draws.map((draw) => draw.slice), ...(walletHold.slice === null ? [] : [walletHold.slice])]
        expect(new Set(named).size).toBe(named.length)
        if (status === 'restricted') expect(walletHold.amount).toBe(0n)
        expect(recomputed(settled.tokens, draws, ending)).toBe(settled.sell)
        for (const draw of draws) if (draw.kind === 'cap') expect(BigInt(draw.amount)).toBe(settled.sell)
        expect(openingDraws(parts).map(({ slice, held }) => [slice, held])).toEqual(
          draws.map(({ slice, held }) => [slice, held]),
        )
        expect(stage.holds.stats().outstandingHolds).toBe(before)
      },
    ),
    { numRuns: 300 },
  )
}, 60_000)

function usageOf(actual: TokenCounts) {
  return {
    prompt_tokens: actual.uncachedInput + actual.cacheRead + actual.cacheWrite,
    completion_tokens: actual.output + actual.reasoning,
    prompt_tokens_details: { cached_tokens: actual.cacheRead, cache_write_tokens: actual.cacheWrite },
    completion_tokens_details: { reasoning_tokens: actual.reasoning },
  }
}

/** The wallet's part as verify finds it from the record alone. */
function recomputed(used: TokenCounts, draws: readonly Draw[], ending: string): bigint {
  if (ending === 'failed') {
    expect(draws.every((draw) => draw.amount === '0')).toBe(true)
    return 0n
  }
  const rest = { ...used } as Record<TokenClass, number>
  let money = 0n
  for (const { kind, amount, covered } of draws) {
    if (covered) for (const name of TOKEN_CLASSES) rest[name] -= covered[name]
    else if (kind === 'throughput') money += BigInt(amount)
  }
  return rate(rest, sell) - money
}

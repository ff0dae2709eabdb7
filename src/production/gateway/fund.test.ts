import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ConversionTable, Draw, Means, SpendCap, Tenant } from '#contract'
import { NO_TOKENS, Problem, TOKEN_CLASSES, parseTokenPrices, rate, upperBound } from '#kernel'
import type { TokenClass, TokenCounts } from '#kernel'
import { createHolds } from '#holds'
import type { ChargingClient, Holds } from '#holds'
import { settle } from '#metering'
import { openJournal } from '#platform/journal'
import type { Journal } from '#platform/journal'
import { nullLog } from '#platform/log'
import { meansOf, openingDraws, settledDraws } from './draws.ts'
import { fund } from './fund.ts'
import type { Funds } from './fund.ts'
import { arrangeFunding } from './means.ts'
import { readTables } from './tables.ts'

/** The real holds and journal, with a control plane that grants what its buckets have. */
const buckets = new Map<string, bigint>()
const granted = new Map<string, string>()
const charging: ChargingClient = {
  register: async () => 1,
  async grant({ seq, bucket, min, want }) {
    const available = buckets.get(bucket)
    if (available === undefined) return { outcome: 'no_such_bucket' }
    if (available < BigInt(min)) return { outcome: 'insufficient_balance', available: `${available}`, escrowed: '0' }
    const amount = BigInt(want) < available ? BigInt(want) : available
    buckets.set(bucket, available - amount)
    granted.set(`s${seq}`, bucket)
    const validUntilMs = Date.now() + 60_000
    return {
      outcome: 'granted',
      slice: { id: `s${seq}`, bucket, epoch: 1, amount: `${amount}`, validUntilMs, tight: false },
    }
  },
  close: async () => ({ outcome: 'closed' }),
  openSlices: async () => [],
  usage: async (_gateway, records) => ({ accepted: records.length, duplicates: 0, quarantined: [] }),
}
const dir = mkdtempSync(join(tmpdir(), 'tokenfactory-fund-'))
let journal: Journal
let holds: Holds
beforeAll(async () => {
  journal = await openJournal(dir)
  holds = createHolds({
    gateway: 'gw-0',
    journal,
    charging,
    clock: { nowMs: () => Date.now() },
    log: nullLog,
    limits: { refusedRetryMs: 1 },
  })
})
afterAll(async () => {
  await holds.close(1_000)
  await journal[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

const flat = (input: bigint, output = input): Record<TokenClass, string> => ({
  uncachedInput: `${input}`,
  cacheWrite: `${input}`,
  cacheRead: `${input}`,
  output: `${output}`,
  reasoning: `${output}`,
})
const table = (id: string, weights: Record<TokenClass, string>): ConversionTable => ({
  id,
  displayName: id,
  versions: [{ id: `${id}-v1`, validFromMs: 0, validToMs: null, weights: [{ service: 'm', weights }] }],
})
/** 2026-11-25 08:00:30 in China. */
const atMs = Date.parse('2026-11-25T00:00:30Z')
const MINUTE = `@${Math.floor(atMs / 60_000)}`
const sell = parseTokenPrices(flat(2n, 8n))
const bounds = { inputTokens: 100, outputTokens: 50 }
const MOST = upperBound(bounds, sell)
let runs = 0

interface Given {
  readonly means: readonly Means[]
  readonly caps?: readonly SpendCap[]
  readonly status?: Tenant['status']
  readonly tables?: readonly ConversionTable[]
  readonly filled: Readonly<Record<string, bigint>>
}

/** Every bucket of a run has the run's number in its name, so that runs share holds and nothing else. */
async function funded({ means, caps = [], status = 'active', tables = [], filled }: Given): Promise<Funds | Problem> {
  const run = ++runs
  const unique = (bucket: string): string => `${bucket}/${run}`
  for (const [bucket, amount] of Object.entries(filled)) {
    const [name = '', period] = bucket.split('@')
    buckets.set(period ? `${unique(name)}@${period}` : unique(name), amount)
  }
  const tenant: Tenant = {
    id: 't',
    displayName: 't',
    status,
    limits: {},
    means: means.map((each) =>
      each.kind === 'throughput'
        ? { ...each, dimensions: each.dimensions.map((dim) => ({ ...dim, bucket: unique(dim.bucket) })) }
        : { ...each, bucket: unique(each.bucket) },
    ),
    caps: caps.map((cap) => ({ ...cap, bucket: unique(cap.bucket) })),
  }
  const key = { id: 'k', tenant: 't', name: 'k', hash: '', status: 'active' as const, expiresAtMs: null, limits: {} }
  const funding = arrangeFunding(tenant, key, readTables(tables))
  if (!funding) throw new Error('the own wallet alone needs no funding')
  const asked = { service: 'm', atMs, inputBound: bounds.inputTokens, outputBound: bounds.outputTokens }
  return new Promise((resolve) => fund(holds, funding, { ...asked, moneyBound: MOST, tenant: 't' }, resolve))
}

const refusal = async (given: Given): Promise<Problem> => {
  const outcome = await funded(given)
  if (outcome instanceof Problem) return outcome
  throw new Error('was funded')
}
const success = async (given: Given): Promise<Funds> => {
  const outcome = await funded(given)
  if (outcome instanceof Problem) throw outcome
  return outcome
}
const amounts = (funds: Funds) => [
  ...funds.parts.map((part) => [part.kind, part.hold.amount]),
  ['wallet', funds.wallet.amount],
]
const giveBack = (funds: Funds) =>
  [funds.wallet, ...funds.parts.map((part) => part.hold)].forEach((hold) => hold.void())

const wallet: Means = { kind: 'wallet', id: 'w', bucket: 'wallet:t', payer: 't' }
const tokens: Means = { kind: 'tokens', id: 'p', bucket: 'tokens:t', table: 'std' }
const reserved = (over: Partial<Means & { kind: 'throughput' }> = {}): Means => ({
  kind: 'throughput',
  id: 'r',
  services: ['m'],
  period: 'minute',
  validFromMs: 0,
  validToMs: 2 * atMs,
  window: null,
  dimensions: [{ bucket: 'throughput:r', unit: 'std' }],
  overflow: 'next',
  ...over,
})
const std = table('std', flat(1n))
/** What a whole request takes of it. */
const UNITS = 150n
const rich = { 'wallet:t': 10n ** 15n }

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
  .map((all) => Object.fromEntries(TOKEN_CLASSES.map((name, i) => [name, `${all[i]}`])) as Record<TokenClass, string>)
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
        const before = holds.stats().outstandingHolds
        const outcome = await funded({
          // One that is no use keeps this from being the plain case, which needs no funding.
          means: [{ kind: 'tokens', id: 'x', bucket: 'tokens:x', table: 'gone' }, ...means],
          caps: isCapped ? [{ id: 'k', scope: 'key', bucket: 'cap:k', period: 'day', limitPico: '0' }] : [],
          status,
          tables: [std, table('odd', odd), table('in', flat(1n, 0n)), table('out', flat(0n, 1n))],
          filled: Object.fromEntries(BUCKETS.map((bucket, i) => [bucket, fills[i] ?? 0n])),
        })
        if (outcome instanceof Problem) {
          expect(outcome.type.status === 402 || outcome.type.status === 429).toBe(true)
          expect(holds.stats().outstandingHolds).toBe(before)
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
          expect(granted.get(draw.slice)).toBe(draw.bucket)
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
        expect(holds.stats().outstandingHolds).toBe(before)
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

test('tokens go as far as they go, and the wallet holds for the rest', async () => {
  const means = [tokens, wallet]
  const whole = await success({ means, tables: [std], filled: { ...rich, 'tokens:t': UNITS } })
  expect(amounts(whole)).toEqual([
    ['tokens', UNITS],
    ['wallet', 0n],
  ])
  expect(whole.wallet.slice).toBeNull()
  const part = await success({ means, tables: [std], filled: { ...rich, 'tokens:t': 40n } })
  expect(amounts(part)).toEqual([
    ['tokens', 40n],
    ['wallet', MOST],
  ])
  const none = await success({ means, tables: [std], filled: { ...rich, 'tokens:t': 0n } })
  expect(amounts(none)).toEqual([['wallet', MOST]])
  for (const funds of [whole, part, none]) giveBack(funds)
})

test('a reservation pays for all or nothing; what does not fit overflows or is refused until it is refilled', async () => {
  const means = [reserved(), wallet]
  const bucket = `throughput:r${MINUTE}`
  const fits = await success({ means, tables: [std], filled: { ...rich, [bucket]: UNITS } })
  expect(amounts(fits)).toEqual([
    ['throughput', UNITS],
    ['wallet', 0n],
  ])
  const overflows = await success({ means, tables: [std], filled: { ...rich, [bucket]: UNITS - 1n } })
  expect(amounts(overflows)).toEqual([['wallet', MOST]])
  for (const funds of [fits, overflows]) giveBack(funds)
  const filled = { ...rich, [bucket]: UNITS - 1n }
  const refused = await refusal({ means: [reserved({ overflow: 'reject' }), wallet], tables: [std], filled })
  expect(refused.type).toMatchObject({ code: 'reservation_exhausted', status: 429 })
  expect(refused.params).toEqual({ retryAfterMs: 30_000 })
})

test('reserved money pays first and in part, unless it may not overflow', async () => {
  const money = { dimensions: [{ bucket: 'throughput:r', unit: 'CNY' as const }] }
  const filled = { ...rich, [`throughput:r${MINUTE}`]: 100n }
  const part = await success({ means: [reserved(money), wallet], filled })
  expect(amounts(part)).toEqual([
    ['reserved_money', 100n],
    ['wallet', MOST - 100n],
  ])
  giveBack(part)
  const refused = await refusal({ means: [reserved({ ...money, overflow: 'reject' }), wallet], filled })
  expect(refused.type.code).toBe('reservation_exhausted')
})

test('a reservation works in its hours, for its services and while it is valid; a window may go past midnight', async () => {
  const filled = { ...rich, [`throughput:r${MINUTE}`]: UNITS }
  const pays = async (over: Partial<Means & { kind: 'throughput' }>) => {
    const funds = await success({ means: [reserved(over), wallet], tables: [std], filled })
    giveBack(funds)
    return funds.parts.length === 1
  }
  expect(await pays({ window: { fromMinute: 480, toMinute: 481 } })).toBe(true)
  expect(await pays({ window: { fromMinute: 481, toMinute: 961 } })).toBe(false)
  expect(await pays({ window: { fromMinute: 1320, toMinute: 481 } })).toBe(true)
  expect(await pays({ window: { fromMinute: 1320, toMinute: 480 } })).toBe(false)
  expect(await pays({ services: ['other'] })).toBe(false)
  expect(await pays({ validToMs: atMs })).toBe(false)
  expect(await pays({ validFromMs: atMs + 1 })).toBe(false)
})

test('a cap refuses what the wallet could pay, says whose it is and when it resets, and takes nothing', async () => {
  const caps: SpendCap[] = [
    { id: 'd', scope: 'key', bucket: 'cap:d', period: 'day', limitPico: '0' },
    { id: 'm', scope: 'project', bucket: 'cap:m', period: 'month', limitPico: '0' },
  ]
  const filled = { ...rich, 'cap:d@2026-11-25': MOST, 'cap:m@2026-11': MOST }
  const funds = await success({ means: [wallet], caps, filled })
  expect(amounts(funds)).toEqual([
    ['cap', MOST],
    ['cap', MOST],
    ['wallet', MOST],
  ])
  giveBack(funds)
  const before = holds.stats().outstandingHolds
  const refused = await refusal({ means: [wallet], caps, filled: { ...filled, 'cap:m@2026-11': MOST - 1n } })
  expect(refused.type).toMatchObject({ code: 'spend_cap_reached', status: 402 })
  expect(refused.params).toEqual({ scope: 'project', period: 'month', resetsAt: '2026-11-30T16:00:00.000Z' })
  expect(holds.stats().outstandingHolds).toBe(before)
})

test('in arrears only what packages and reservations cover entirely is served', async () => {
  const given = { means: [tokens, wallet], tables: [std], status: 'restricted' } as const
  const funds = await success({ ...given, filled: { ...rich, 'tokens:t': UNITS } })
  giveBack(funds)
  const refused = await refusal({ ...given, filled: { ...rich, 'tokens:t': UNITS - 1n } })
  expect(refused.type).toMatchObject({ code: 'account_restricted', status: 402 })
})

test('another’s wallet pays where the own has not enough, and the record says so', async () => {
  const shared: Means = { kind: 'wallet', id: 'o', bucket: 'wallet:owner', payer: 'owner' }
  const funds = await success({ means: [wallet, shared], filled: { 'wallet:t': 1n, 'wallet:owner': MOST } })
  expect(funds.payer).toBe('owner')
  giveBack(funds)
  const refused = await refusal({ means: [wallet, shared], filled: { 'wallet:t': 1n, 'wallet:owner': 2n } })
  expect(refused.type.code).toBe('insufficient_balance')
  expect(refused.params).toMatchObject({ available: '0.000000000001' })
})

test('without a table, a version in force or a weight nothing is free: the next means pays', async () => {
  const filled = { ...rich, 'tokens:t': 10n ** 6n }
  const expired = { ...std, versions: std.versions.map((version) => ({ ...version, validToMs: atMs })) }
  const other = { ...std, versions: std.versions.map((version) => ({ ...version, weights: [] })) }
  for (const tables of [[], [expired], [other], [table('std', flat(0n))]]) {
    const funds = await success({ means: [tokens, wallet], tables, filled })
    expect(amounts(funds)).toEqual([['wallet', MOST]])
    giveBack(funds)
  }
  expect((await refusal({ means: [tokens], filled })).type.code).toBe('means_exhausted')
})

test('a class without a weight is free in a reservation that weighs the others', async () => {
  const burndown = table('std', { ...flat(1n, 4n), cacheRead: '0' })
  const filled = { ...rich, [`throughput:r${MINUTE}`]: 300n }
  const funds = await success({ means: [reserved(), wallet], tables: [burndown], filled })
  expect(amounts(funds)).toEqual([
    ['throughput', 300n],
    ['wallet', 0n],
  ])
  const [hold] = meansOf(funds.parts)
  const used = { ...NO_TOKENS, cacheRead: 60, uncachedInput: 40, output: 50 }
  const settled = settle({
    ending: 'completed',
    usage: usageOf(used),
    sawOutput: true,
    hasText: () => true,
    recount: () => ({ input: 1, output: 1, method: 'test' }),
    isSampled: false,
    inputBound: 100,
    outputBound: 50,
    sell: () => sell,
    taxPercent: 6,
    buy: () => sell,
    means: hold ? [hold] : [],
  })
  expect(settled.shares).toEqual([{ amount: 240n, covered: used }])
  expect(settled.sell).toBe(0n)
  giveBack(funds)
})

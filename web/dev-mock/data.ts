import type * as z from 'zod'
import type {
  ExplainReply,
  KeyView,
  LivePoint,
  NewKey,
  PostingView,
  RequestRow,
  ServiceView,
  SupplierView,
  TenantView,
  UsageRow,
} from '#contract'
import { TOKEN_CLASSES, formatPricePerMillion, netOfTax, pico, sortableId } from '#kernel'
import type { TokenCounts } from '#kernel'

/** A small installation with a past, made from a seed: the same seed always tells the same story. */
export interface MockFactory {
  readonly tenants: TenantView[]
  readonly keys: KeyView[]
  readonly services: readonly ServiceView[]
  readonly suppliers: readonly SupplierView[]
  readonly requests: ExplainReply[]
  readonly postings: PostingView[]
  readonly createKey: (
    tenant: string,
    name: string,
    expiresAtMs: number | null,
    limits: KeyView['limits'],
  ) => z.infer<typeof NewKey>
  readonly addRequest: (options: {
    nowMs: number
    tenant: string
    service: string
    tokens: TokenCounts
    ttftMs: number
    durationMs: number
    closed: boolean
  }) => string
  readonly topUp: (tenant: string, amount: bigint, reference: string, nowMs: number) => void
  readonly random: () => number
}

const MINUTE_MS = 60_000
const SELL = {
  uncachedInput: 2_000_000n,
  cacheWrite: 2_500_000n,
  cacheRead: 400_000n,
  output: 8_000_000n,
  reasoning: 8_000_000n,
}
const sellTimes = (factor: bigint) =>
  Object.fromEntries(TOKEN_CLASSES.map((name) => [name, formatPricePerMillion(SELL[name] * factor)]))
const OFFICE_HOURS = {
  calendar: 'cn',
  utcOffsetMinutes: 480,
  days: 'weekdays' as const,
  hours: [
    { fromMinute: 540, toMinute: 720 },
    { fromMinute: 840, toMinute: 1080 },
  ],
}
const BUY_PERCENT = 62n
const SERVICES = ['babbler-mini', 'qwen/qwen3-32b', 'deepseek-v3.2'] as const
const SUPPLIERS = ['embedded', 'gz-cluster-a', 'vendor-x'] as const

export function createMockFactory(seed: number, nowMs: number): MockFactory {
  const random = seeded(seed)
  const chance = (probability: number) => random() / 2 ** 32 < probability
  const between = (low: number, high: number) => low + Math.floor((random() / 2 ** 32) * (high - low + 1))
  const pick = <Item>(items: readonly [Item, ...Item[]]): Item => items[between(0, items.length - 1)] ?? items[0]

  const factory: MockFactory = {
    tenants: [
      {
        id: 'acme',
        displayName: '极目智能',
        status: 'active',
        limits: { requestsPerMinute: 600 },
        postedPico: '8412345678901234',
        escrowedPico: '12000000000000',
      },
      {
        id: 'lab',
        displayName: 'Delta Lab',
        status: 'active',
        limits: {},
        postedPico: '120000000000000',
        escrowedPico: '0',
      },
      { id: 'paused', displayName: 'Paused Ltd', status: 'suspended', limits: {}, postedPico: '0', escrowedPico: '0' },
    ],
    keys: [],
    services: SERVICES.map((id, index) => ({
      id,
      displayName: ['Babbler mini (CPU)', 'Qwen3 32B', 'DeepSeek V3.2'][index] ?? id,
      contextTokens: 32_768 * (index + 1),
      maxOutputTokens: 8192,
      sellPerMillion: sellTimes(BigInt(index + 1)),
      sellPeak: index === 2 ? OFFICE_HOURS : null,
      sellVariants:
        index === 2
          ? [
              { when: { period: 'peak' as const }, perMillion: sellTimes(2n * BigInt(index + 1)) },
              { when: { tier: 'priority' as const, inputTokensAbove: 32_768 }, perMillion: sellTimes(4n) },
            ]
          : [],
      deployments: SUPPLIERS.slice(0, 3 - index).map((supplier, priority) => ({
        supplier,
        model: `${id.slice(id.indexOf('/') + 1)}-${supplier}`,
        priority,
      })),
    })),
    suppliers: SUPPLIERS.map((id, index) => ({
      id,
      displayName: ['内置引擎', '广州机房 A', 'Vendor X'][index] ?? id,
      kind: index === 0 ? 'embedded' : 'openai-compatible',
      baseUrl: ['http://127.0.0.1:8082/v1', 'http://10.20.0.8:8000/v1', 'https://api.vendor-x.example/v1'][index] ?? '',
      apiKeyEnv: index === 2 ? 'VENDOR_X_API_KEY' : null,
      maxConcurrency: [2, 256, 64][index] ?? 1,
    })),
    requests: [],
    postings: [],
    random,
    createKey: (tenant, name, expiresAtMs, limits) => {
      const secret = `sk-tf-${sortableId(between(0, 2 ** 31), random)}`
      const id = `key-${factory.keys.length + 1}`
      factory.keys.unshift({
        id,
        tenant,
        name,
        preview: `${secret.slice(0, 10)}…`,
        status: 'active',
        createdAtMs: nowMs - between(0, 40) * 86_400_000,
        expiresAtMs,
        limits,
      })
      return { id, name, tenant, secret }
    },
    addRequest: (options) => record({ ...options, failed: false, retried: false, atMs: options.nowMs }),
    topUp: (tenant, amount, reference, atMs) => {
      const wallet = factory.tenants.find(({ id }) => id === tenant)
      if (wallet) wallet.postedPico = (BigInt(wallet.postedPico) + amount).toString()
      factory.postings.unshift({
        id: `pst_${sortableId(atMs, random)}`,
        kind: 'topup',
        bookedAtMs: atMs,
        memo: reference,
        records: 0,
        entries: entriesOf([
          ['1010', amount],
          [`2000:${tenant}`, -amount],
        ]),
      })
    },
  }

  function record(about: {
    readonly atMs: number
    readonly tenant: string
    readonly service: string
    readonly tokens: TokenCounts
    readonly ttftMs: number
    readonly durationMs: number
    readonly closed: boolean
    readonly failed: boolean
    readonly retried: boolean
  }): string {
    const { atMs, tenant, service, tokens, ttftMs, durationMs, failed } = about
    const id = `req_${sortableId(atMs, random)}`
    const factor = BigInt(SERVICES.findIndex((name) => name === service) + 1)
    const gross = TOKEN_CLASSES.reduce((sum, name) => sum + BigInt(tokens[name]) * SELL[name] * factor, 0n)
    const sell = failed ? 0n : gross
    const tax = sell - netOfTax(pico(sell), 6)
    const buy = (gross * BUY_PERCENT) / 100n
    const supplier = about.retried ? SUPPLIERS[1] : SUPPLIERS[0]
    const shares = entriesOf(
      failed
        ? [
            [`5040:${supplier}`, buy],
            [`2110:${supplier}`, -buy],
          ]
        : [
            [`2000:${tenant}`, sell],
            [`4000:${service}`, tax - sell],
            ['2210', -tax],
            [`5000:${supplier}`, buy],
            [`2110:${supplier}`, -buy],
          ],
    )
    const posting = { id: `pst_${sortableId(atMs + 400, random)}`, bookedAtMs: atMs + 400, hash: hex(64) }
    const counted = {
      input: tokens.uncachedInput + tokens.cacheRead + tokens.cacheWrite,
      output: tokens.output + tokens.reasoning,
      method: 'tiktoken o200k_base',
    }
    factory.postings.unshift({ ...posting, kind: 'usage', memo: `gw-0 · ${id.slice(-6)}`, records: 1, entries: shares })
    factory.requests.unshift({
      record: {
        id,
        gateway: 'gw-0',
        epoch: 7,
        slice: `slc_${sortableId(atMs, random)}`,
        tenant,
        key: tenant === 'acme' ? 'acme-prod' : 'lab-demo',
        service,
        supplier,
        model: `${service.slice(service.indexOf('/') + 1)}-${supplier}`,
        stream: true,
        ending: failed ? 'failed' : about.closed ? 'client_closed' : 'completed',
        finishReason: failed || about.closed ? null : 'stop',
        status: 200,
        acceptedAtMs: atMs - durationMs,
        completedAtMs: atMs,
        ttftMs,
        durationMs,
        reported: failed || about.closed ? null : tokens,
        counted,
        tokens,
        basis: failed ? 'none' : about.closed ? 'counted' : 'reported',
        note: null,
        holdPico: (gross * 3n + 1_000_000_000n).toString(),
        sellPico: sell.toString(),
        taxPico: tax.toString(),
        buyPico: buy.toString(),
        sellSheet: `${service}/sell@2026-11-01`,
        buySheet: `${supplier}/buy@2026-11-01`,
        candidates: [
          { supplier: SUPPLIERS[0], model: 'primary', verdict: 'eligible' },
          { supplier: SUPPLIERS[1], model: 'replica', verdict: 'eligible' },
          { supplier: SUPPLIERS[2], model: 'backup', verdict: 'no_credentials' },
        ],
        attempts: [
          ...(about.retried
            ? [
                {
                  supplier: SUPPLIERS[0],
                  model: 'primary',
                  outcome: 'status_5xx' as const,
                  status: 503,
                  startMs: 1.2,
                  endMs: ttftMs * 0.4,
                },
              ]
            : []),
          {
            supplier,
            model: `${service}-${supplier}`,
            outcome: failed ? 'cut' : about.closed ? 'client_closed' : 'served',
            status: 200,
            startMs: about.retried ? ttftMs * 0.42 : 1.1,
            endMs: durationMs - 1,
          },
        ],
      },
      posting,
      shares,
      corrections: [],
    })
    return id
  }

  function hex(length: number): string {
    return Array.from({ length }, () => (random() & 15).toString(16)).join('')
  }

  factory.topUp('acme', 10_000_000_000_000_000n, 'wire-20261101-778', nowMs - 90 * MINUTE_MS)
  factory.topUp('lab', 120_000_000_000_000n, 'wire-20261102-012', nowMs - 80 * MINUTE_MS)
  for (let minute = 75; minute >= 0; minute--) {
    const busy = 3 + Math.round(3 * Math.sin(minute / 9)) + between(0, 3)
    for (let index = 0; index < busy; index++) {
      const cached = chance(0.4)
      record({
        atMs: nowMs - minute * MINUTE_MS - between(1, 50_000),
        tenant: chance(0.7) ? 'acme' : 'lab',
        service: pick(SERVICES),
        tokens: {
          uncachedInput: between(40, 900),
          cacheWrite: 0,
          cacheRead: cached ? between(200, 1800) : 0,
          output: between(60, 700),
          reasoning: chance(0.3) ? between(50, 400) : 0,
        },
        ttftMs: between(90, 620) + (chance(0.08) ? 900 : 0),
        durationMs: between(1700, 9000),
        failed: chance(0.04),
        closed: chance(0.06),
        retried: chance(0.1),
      })
    }
  }
  factory.requests.sort((a, b) => b.record.completedAtMs - a.record.completedAtMs)
  factory.postings.sort((a, b) => b.bookedAtMs - a.bookedAtMs)
  factory.createKey('lab', 'notebook', nowMs + 30 * 86_400_000, { maxConcurrency: 4 })
  factory.createKey('acme', 'batch 批处理', null, { requestsPerMinute: 60, tokensPerMinute: 200_000 })
  factory.createKey('acme', 'production', null, {})
  const retired = factory.keys[2]
  if (retired) retired.status = 'revoked'
  return factory
}

export function rowOf({ record }: ExplainReply): RequestRow {
  const { id, completedAtMs, tenant, key, service, supplier, ending, tokens, ttftMs, durationMs, sellPico } = record
  const row = { id, completedAtMs, tenant, key, service, supplier, ending, tokens, ttftMs, durationMs, sellPico }
  return { ...row, tier: record.tier ?? 'standard', draws: (record.draws ?? []).filter(({ kind }) => kind !== 'cap') }
}

export function livePoints(requests: readonly ExplainReply[], minutes: number, nowMs: number): readonly LivePoint[] {
  const last = Math.floor(nowMs / MINUTE_MS)
  return Array.from({ length: minutes }, (_, index) => {
    const minute = last - minutes + 1 + index
    const records = requests
      .map((reply) => reply.record)
      .filter(({ completedAtMs }) => Math.floor(completedAtMs / MINUTE_MS) === minute)
    const ttfts = records.flatMap(({ ttftMs }) => (ttftMs === null ? [] : [ttftMs])).toSorted((a, b) => a - b)
    const { failed, tokens, sellPico } = totalsOf(records)
    const seconds = records.reduce((sum, { durationMs, ttftMs }) => sum + (durationMs - (ttftMs ?? 0)) / 1000, 0)
    return {
      minuteMs: minute * MINUTE_MS,
      requests: records.length,
      failed,
      tokens,
      sellPico,
      ttftMsP50: ttfts[Math.floor(ttfts.length / 2)] ?? null,
      ttftMsP95: ttfts[Math.floor(ttfts.length * 0.95)] ?? null,
      outputTokensPerSecond: seconds > 0 ? (tokens.output + tokens.reasoning) / seconds : null,
    }
  })
}

export function usageRows(requests: readonly ExplainReply[], by: string): readonly UsageRow[] {
  const groupOf = ({ record }: ExplainReply) =>
    by === 'tenant'
      ? record.tenant
      : by === 'supplier'
        ? record.supplier
        : by === 'key'
          ? record.key
          : by === 'hour'
            ? new Date(Math.floor(record.completedAtMs / 3_600_000) * 3_600_000).toISOString()
            : record.service
  return Object.entries(Object.groupBy(requests, groupOf)).map(([group, replies = []]) => ({
    group,
    requests: replies.length,
    ...totalsOf(replies.map(({ record }) => record)),
  }))
}

function totalsOf(records: ReadonlyArray<ExplainReply['record']>) {
  const tokens = { uncachedInput: 0, cacheWrite: 0, cacheRead: 0, output: 0, reasoning: 0 }
  let [failed, sell, buy] = [0, 0n, 0n]
  for (const one of records) {
    for (const name of TOKEN_CLASSES) tokens[name] += one.tokens[name]
    if (one.ending === 'failed' || one.ending === 'interrupted') failed++
    sell += BigInt(one.sellPico)
    buy += BigInt(one.buyPico)
  }
  return { failed, tokens, sellPico: sell.toString(), buyPico: buy.toString() }
}

function entriesOf(pairs: ReadonlyArray<readonly [account: string, amount: bigint]>) {
  return pairs.map(([account, amount]) => ({ account, amountPico: amount.toString() }))
}

/** Numbers in [0, 2³²) from a linear congruential generator (Numerical Recipes, chapter 7): repeatable, nothing more. */
function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0)
}

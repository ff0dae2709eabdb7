import type { FiledSheet } from '#charging'
import type { UsageRecord } from '#contract'
import { netOfTax, parseTokenPrices, rate } from '#kernel'

/** For tests and benchmarks: what a gateway would write about a request. */
export const START_MS = 1_795_420_800_000

const prices = {
  uncachedInput: '1000000',
  cacheWrite: '1250000',
  cacheRead: '100000',
  output: '8000000',
  reasoning: '8000000',
}
const costs = {
  uncachedInput: '700000',
  cacheWrite: '700000',
  cacheRead: '70000',
  output: '5000000',
  reasoning: '5000000',
}

const TAX_PERCENT = 6

/** Every sheet that a sample record may name: the id says what it prices, the prices are those of all samples. */
export async function sheetById(id: string): Promise<FiledSheet | undefined> {
  const [side, service = '', supplier = null, model = null] = id.split('|')
  if (side !== 'sell' && side !== 'buy') return undefined
  const terms = { currency: 'CNY', validFromMs: 0, validToMs: null, taxPercent: TAX_PERCENT } as const
  return { id, ...terms, prices: side === 'sell' ? prices : costs, side, service, supplier, model }
}

const sellPrices = parseTokenPrices(prices)
const buyPrices = parseTokenPrices(costs)

export function sampleId(n: number): string {
  return `req_${n.toString().padStart(26, '0')}`
}

/** A correctly rated record. `n` makes its id, its time and its token counts; `change` overrides what a test is about. */
export function sampleRecord(n: number, change: Partial<UsageRecord> = {}): UsageRecord {
  const tokens = change.tokens ?? {
    uncachedInput: 50 + (n % 300),
    cacheWrite: n % 3,
    cacheRead: n % 70,
    output: 20 + (n % 180),
    reasoning: n % 5,
  }
  const ending = change.ending ?? 'completed'
  const billed = ending === 'completed' || ending === 'client_closed'
  const sell = billed
    ? rate(tokens, sellPrices)
    : rate({ uncachedInput: 0, cacheWrite: 0, cacheRead: 0, output: 0, reasoning: 0 }, sellPrices)
  const ttftMs = 40 + (n % 900)
  const acceptedAtMs = START_MS + n * 37
  const service = change.service ?? (n % 4 === 0 ? 'qwen/qwen3-32b' : 'babbler')
  const supplier = change.supplier ?? (n % 5 === 0 ? 'vllm' : 'embedded')
  const model = change.model ?? 'babbler'
  return {
    id: sampleId(n),
    gateway: 'gw-0',
    epoch: 1,
    slice: 'slc_gw-0_1_1',
    tenant: 'acme',
    key: `key-${n % 3}`,
    service,
    supplier,
    model,
    stream: true,
    ending,
    finishReason: 'stop',
    status: 200,
    acceptedAtMs,
    completedAtMs: acceptedAtMs + 1200,
    ttftMs,
    durationMs: ttftMs + 310.25,
    reported: tokens,
    counted: { input: tokens.uncachedInput, output: tokens.output, method: 'gguf:babbler' },
    tokens,
    basis: 'reported',
    note: null,
    holdPico: `${sell * 3n + 1n}`,
    sellPico: `${sell}`,
    taxPico: `${sell - netOfTax(sell, TAX_PERCENT)}`,
    buyPico: `${rate(tokens, buyPrices)}`,
    sellSheet: `sell|${service}`,
    buySheet: `buy|${service}|${supplier}|${model}`,
    candidates: [
      { supplier: 'embedded', model: 'babbler', verdict: 'eligible' },
      { supplier: 'vllm', model: 'babbler', verdict: 'no_credentials' },
    ],
    attempts: [
      { supplier: 'embedded', model: 'babbler', outcome: 'served', status: 200, startMs: 0.4, endMs: ttftMs + 310 },
    ],
    ...change,
  }
}

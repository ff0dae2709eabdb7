import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import type { PriceSheet, Service, Snapshot, UsageRecord } from '#contract'
import { netOfTax, parseTokenPrices, rate } from '#kernel'
import { sha256 } from '#platform/crypto'
import { startControlPlane } from './control-plane.ts'
import type { ControlPlane } from './control-plane.ts'
import { startGateway } from './gateway-process.ts'
import type { GatewayProcess } from './gateway-process.ts'
import { startProvider } from './start-provider.ts'
import type { Provider } from './start-provider.ts'

/** A service of a scene: `<id>` is served by the models `<id>-1` at the first provider, `<id>-2` at the second, and so on. */
export interface SceneService extends Partial<Service> {
  readonly id: string
  /** How many providers serve it; two unless told. */
  readonly providers?: number
  /** Providers that go on from a partial answer, by number. */
  readonly prefill?: readonly number[]
}

/** The real gateway process before real misbehaving providers. */
export interface Scene extends AsyncDisposable {
  readonly providers: readonly [Provider, Provider, Provider]
  readonly gateway: GatewayProcess
  readonly control: ControlPlane
  /** One request over a raw connection, and what the client got, to the end. */
  ask(service: string, more?: object): Promise<Got>
  /** The record of a request, once it arrived. */
  recordOf(got: Got): Promise<UsageRecord>
  /** Nothing is under way or held, and no connection to a provider is busy. */
  expectClean(): Promise<void>
}

export interface Got {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** The connection ended before the answer did. */
  readonly isCut: boolean
  readonly tookMs: number
}

export const KEY = 'key-of-a-test'
const PROVIDERS = ['one', 'two', 'three'] as const

const flat = (input: string, output: string) => ({
  uncachedInput: input,
  cacheWrite: input,
  cacheRead: input,
  output,
  reasoning: output,
})
const sheetOf = (id: string, prices: PriceSheet['prices']): PriceSheet => ({
  id,
  currency: 'CNY',
  validFromMs: 0,
  validToMs: null,
  taxPercent: 6,
  prices,
})
const SELL = flat('2000000', '8000000')
/** The second provider is dearer, so that whose price was used can be told. */
const BUY = [flat('1000000', '4000000'), flat('1500000', '6000000'), flat('1700000', '7000000')] as const

function snapshotOf(
  services: readonly SceneService[],
  providers: readonly Provider[],
  maxConcurrency: number,
): Snapshot {
  return {
    version: 1,
    tenants: [{ id: 'acme', displayName: 'Acme', status: 'active', limits: {} }],
    keys: [
      { id: 'key', tenant: 'acme', name: 'key', hash: sha256(KEY), status: 'active', expiresAtMs: null, limits: {} },
    ],
    suppliers: providers.map(({ url }, i) => ({
      id: PROVIDERS[i] ?? '',
      displayName: PROVIDERS[i] ?? '',
      kind: 'openai-compatible',
      baseUrl: url,
      apiKeyEnv: null,
      maxConcurrency,
      maxTokensField: 'max_tokens',
    })),
    services: services.map(({ id, providers: count = 2, prefill = [], ...more }) => ({
      id,
      displayName: id,
      createdMs: 0,
      contextTokens: 100_000,
      maxOutputTokens: 1_000,
      tokenizer: { kind: 'bytes', bytesPerToken: 4 },
      tenants: [],
      sellSheets: [sheetOf(`sell-${id}`, SELL)],
      firstByteTimeoutMs: 3_000,
      idleTimeoutMs: 700,
      totalTimeoutMs: 20_000,
      deployments: Array.from({ length: count }, (_, i) => ({
        supplier: PROVIDERS[i] ?? '',
        model: `${id}-${i + 1}`,
        priority: i,
        buySheets: [sheetOf(`buy-${id}-${i + 1}`, BUY[i] ?? BUY[0])],
        ...(prefill.includes(i + 1)
          ? { features: ['streaming', 'tools', 'structured_output', 'logprobs', 'prefill'] }
          : {}),
      })),
      ...more,
    })),
  }
}

export async function setScene(services: readonly SceneService[], { maxConcurrency = 500 } = {}): Promise<Scene> {
  const providers = await Promise.all([startProvider(), startProvider(), startProvider()])
  const control = await startControlPlane(snapshotOf(services, providers, maxConcurrency))
  const gateway = await startGateway(control.url)
  return {
    providers,
    gateway,
    control,
    ask: (service, more = {}) => askRaw(gateway.url, { model: service, stream: true, messages: PROMPT, ...more }),
    async recordOf(got) {
      const id = String(got.headers['x-request-id'])
      await until(`a record of ${id}`, () => control.records.has(id))
      const record = control.record(id)
      if (!record) throw new Error(`no record of ${id}`)
      assertExact(record)
      return record
    },
    async expectClean() {
      const zero = [
        'requests_in_flight',
        'supplier_requests_in_flight',
        'holds_outstanding',
        'journal_unshipped_records',
      ]
      for (const name of zero)
        await until(`${name} is 0`, async () => (await gateway.gauge(`tokenfactory_${name}`)) === 0)
      for (const provider of providers)
        await until('no request is open at a provider', async () =>
          (await provider.seen()).every(({ end }) => end !== 'open'),
        )
      for (const record of control.records.values()) assertExact(record)
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]()
      await control[Symbol.asyncDispose]()
      await Promise.all(providers.map((provider) => provider[Symbol.asyncDispose]()))
    },
  }
}

export const PROMPT = [{ role: 'user', content: 'Count as far as you can, please.' }]

const NO_KEEP_ALIVE = new Agent({ maxSockets: Number.POSITIVE_INFINITY })

/** Node's own client: what arrives before a cut connection is kept. */
function askRaw(url: string, body: object): Promise<Got> {
  const beganAt = performance.now()
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' }
    const options = { method: 'POST', agent: NO_KEEP_ALIVE, headers }
    const outgoing = request(`${url}/chat/completions`, options, (incoming) => {
      let text = ''
      incoming.setEncoding('utf8')
      incoming.on('data', (piece: string) => (text += piece))
      const end = () =>
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          text,
          isCut: !incoming.complete,
          tookMs: performance.now() - beganAt,
        })
      incoming.on('end', end)
      incoming.on('error', end)
    })
    outgoing.on('error', reject)
    outgoing.end(JSON.stringify(body))
  })
}

/** Waits until something is so, or says what never was. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`never came true: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
}

/** What every record must be to the pico: the tenant pays its tokens once, every supplier is owed what its sheet says. */
export function assertExact(record: UsageRecord): void {
  const isPaid = record.ending === 'completed' || record.ending === 'client_closed'
  const price = rate(record.tokens, parseTokenPrices(SELL))
  assert.equal(record.sellPico, `${isPaid ? price : 0n}`, record.id)
  assert.equal(record.taxPico, `${isPaid ? price - netOfTax(price, 6) : 0n}`)
  const priceOf = (supplier: string) => parseTokenPrices(BUY[PROVIDERS.findIndex((id) => id === supplier)] ?? BUY[0])
  const last = record.attempts.at(-1)
  // One that died with its gateway says who had begun.
  if (record.ending !== 'interrupted') assert.equal(last?.supplier, record.supplier)
  assert.equal(last?.buyPico, undefined)
  assert.equal(record.buyPico, `${rate(last?.tokens ?? record.tokens, priceOf(record.supplier))}`)
  for (const { supplier, tokens, buyPico } of record.attempts.slice(0, -1))
    if (buyPico !== undefined) assert.equal(buyPico, tokens && `${rate(tokens, priceOf(supplier))}`)
  assert.ok(record.attempts.length <= 3)
}

/** The chunks of a stream that a client got. */
export function chunksOf({ text }: Got): readonly Chunk[] {
  return text
    .split('\n\n')
    .filter((block) => block.startsWith('data: {'))
    .map((block) => JSON.parse(block.slice(6)) as Chunk)
}

interface Chunk {
  readonly id?: string
  readonly model?: string
  readonly choices?: readonly { readonly delta: { readonly content?: string }; readonly finish_reason: string | null }[]
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number }
  readonly error?: { readonly code: string; readonly type: string }
}

export function contentOf(got: Got): string {
  return chunksOf(got)
    .flatMap(({ choices = [] }) => choices.map(({ delta }) => delta.content ?? ''))
    .join('')
}

export const words = (count: number, says = 'word') => Array.from({ length: count }, (_, i) => `${says}${i} `).join('')

/** A whole answer: all its words, why it ended, `[DONE]`, and no error. */
export function assertWhole(got: Got, count = 20): void {
  assert.equal(got.status, 200, got.text)
  assert.equal(got.isCut, false)
  assert.equal(contentOf(got), words(count))
  assert.match(got.text, /"finish_reason":"stop"/)
  assert.ok(got.text.endsWith('data: [DONE]\n\n'))
  assert.doesNotMatch(got.text, /"error"/)
}

/** Part of an answer and a typed error in its band: never taken for a whole one. */
export function assertBrokenOff(got: Got, code: string): void {
  assert.equal(got.status, 200)
  assert.doesNotMatch(got.text, /\[DONE\]/)
  const { error } = chunksOf(got).at(-1) ?? {}
  assert.deepEqual({ code: error?.code, type: error?.type }, { code, type: 'server_error' })
}

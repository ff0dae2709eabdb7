import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TenantView, VerifyReply } from '#contract'
import { factoryDocument } from '../factory-document.ts'
import { startFactory, type Factory } from '../factory.ts'
import { startUpstream, type Upstream } from '../upstream/index.ts'
import { hostileCases, type HostileCase } from './cases.ts'
import { BIG_BODY } from './http-cases.ts'
import { sendRaw, type RawAnswer } from './raw.ts'

/** Another seed, or more requests: HOSTILE_SEED, HOSTILE_COUNT. */
const SEED = Number(process.env['HOSTILE_SEED'] ?? Math.floor(performance.timeOrigin % 1_000_000_000))
const COUNT = Number(process.env['HOSTILE_COUNT'] ?? 270)
const CONCURRENCY = 8
const OPENING_PICO = 1_000_000_000_000_000n

let upstream: Upstream
const WORKERS = 2
let factory: Factory

beforeAll(async () => {
  upstream = await startUpstream()
  upstream.script('slow', { kind: 'answer', events: 10, eventDelayMs: 30 })
  const document = factoryDocument({
    suppliers: { fake: upstream.url },
    services: [
      { id: 'm', deployments: [['fake', 'm']] },
      { id: 'slow', deployments: [['fake', 'slow']] },
    ],
    tenants: [{ id: 'victim', topUpYuan: '1000' }],
    keys: [{ id: 'demo', tenant: 'victim', limits: { maxConcurrency: 2 * CONCURRENCY } }],
  })
  factory = await startFactory({
    document,
    env: { MAX_BODY_BYTES: String(BIG_BODY), GATEWAY_WORKERS: String(WORKERS) },
  })
}, 120_000)

afterAll(async () => {
  await factory[Symbol.asyncDispose]()
  await upstream.close()
}, 60_000)

test(
  'hostile requests get typed errors, none crashes or hangs the factory, and nothing they took stays taken',
  { timeout: 300_000 },
  async () => {
    const cases = hostileCases({ key: factory.demoKey, model: 'm', slowModel: 'slow' }, SEED, COUNT)
    console.log(`hostile requests: seed ${SEED}, ${cases.length} requests`)
    const port = Number(new URL(factory.apiUrl).port)
    // Workers register in the background: what comes after is compared with all of them.
    await expect.poll(gatewayEpochs, { timeout: 20_000 }).toHaveLength(WORKERS)
    const before = await gatewayEpochs()
    const complaints: string[] = []
    const seen = { refused: 0, served: 0, left: 0, closed: 0 }
    const queue = [...cases]
    await Promise.all(
      Array.from({ length: CONCURRENCY }, async () => {
        for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
          const answer = await sendRaw({ port, ...one })
          const complaint = judge(one, answer)
          if (complaint !== undefined) complaints.push(`${one.label}: ${complaint}`)
          if (answer.kind === 'answer') seen[answer.status >= 400 ? 'refused' : 'served']++
          else if (answer.kind !== 'hung') seen[answer.kind]++
        }
      }),
    )
    console.log(`hostile requests: ${JSON.stringify(seen)}`)
    expect(complaints).toEqual([])
    expect(cases.length).toBeGreaterThanOrEqual(200)
    expect(seen.refused).toBeGreaterThan(cases.length / 3)
    expect(seen.served).toBeGreaterThan(0)

    await settled()
    // Clients did leave in the middle of answers, or nothing was learned about what that leaves behind.
    expect(await metrics()).toMatch(/ending="client_closed"[^}]*\} [1-9]/)
    expect(await gatewayEpochs()).toEqual(before)
    await roomForEveryone()
    await settled()
    await booksAgree()
  },
)

/** Undefined, or what is wrong with an answer. */
function judge(one: HostileCase, answer: RawAnswer): string | undefined {
  if (answer.kind === 'hung') return 'no answer'
  if (answer.kind === 'left') return undefined
  if (answer.kind === 'closed') return one.must === 'refuse' ? 'closed without an answer' : undefined
  const { status, body } = answer
  if (!(status >= 200 && status < 600)) return `status ${status}`
  if (status >= 500 && status !== 501 && status !== 505) return `${status} ${body.slice(0, 300)}`
  if (status < 400) return one.must === 'refuse' ? `served with ${status}` : undefined
  return one.hasBody === false || isTypedError(body)
    ? undefined
    : `${status} with an untyped body ${JSON.stringify(body.slice(0, 200))}`
}

function isTypedError(body: string): boolean {
  try {
    const { error } = JSON.parse(body) as { error?: { message?: unknown; type?: unknown; code?: unknown } }
    return [error?.message, error?.type, error?.code].every((part) => typeof part === 'string' && part.length > 0)
  } catch {
    return false
  }
}

async function metrics(): Promise<string> {
  const answer = await fetch(factory.apiUrl.replace(/\/v1$/, '/metrics'))
  expect(answer.status).toBe(200)
  return answer.text()
}

function gauge(text: string, name: string): number {
  const line = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)
  if (line === null) throw new Error(`the gateway has no metric ${name}`)
  return Number(line[1])
}

/** A worker that died and came back would have registered again: its log tells how often that happened. */
async function gatewayEpochs(): Promise<readonly string[]> {
  const log = await readFile(`${factory.dataDir}/logs/gateway.log`, 'utf8')
  return log.split('\n').filter((line) => line.includes('registered with charging') || line.includes('worker died'))
}

/** Waits until nothing is under way, held or waiting to be shipped: a leak would never get there. */
async function settled(): Promise<void> {
  const names = [
    'tokenfactory_requests_in_flight',
    'tokenfactory_holds_outstanding',
    'tokenfactory_journal_unshipped_records',
  ]
  const open = async (): Promise<readonly number[]> => {
    const text = await metrics()
    return names.map((name) => gauge(text, name))
  }
  await expect.poll(open, { timeout: 40_000, interval: 200 }).toEqual([0, 0, 0])
}

/** As many streams at once as the key may have: one leaked place would turn one of them away. */
async function roomForEveryone(): Promise<void> {
  const body = JSON.stringify({ model: 'slow', stream: true, messages: [{ role: 'user', content: 'hello' }] })
  const headers = { authorization: `Bearer ${factory.demoKey}`, 'content-type': 'application/json' }
  const answers = await Promise.all(
    Array.from({ length: 2 * CONCURRENCY }, async () => {
      const answer = await fetch(`${factory.apiUrl}/chat/completions`, { method: 'POST', headers, body })
      return `${answer.status} ${(await answer.text()).endsWith('data: [DONE]\n\n') ? 'whole' : 'cut'}`
    }),
  )
  expect(new Set(answers)).toEqual(new Set(['200 whole']))
}

/** Idle slices come back, so in the end nothing is set aside, and the wallet lacks exactly what its records cost. */
async function booksAgree(): Promise<void> {
  const tenant = async (): Promise<TenantView> =>
    TenantView.array().parse(await factory.control('GET', '/tenants'))[0] as TenantView
  await expect.poll(async () => (await tenant()).escrowedPico, { timeout: 40_000, interval: 300 }).toBe('0')
  const usage = await factory.control<readonly { sellPico: string }[]>('GET', '/usage?by=tenant')
  const sold = usage.reduce((sum, row) => sum + BigInt(row.sellPico), 0n)
  expect(sold).toBeGreaterThan(0n)
  expect(BigInt((await tenant()).postedPico)).toBe(OPENING_PICO - sold)
  const verified = VerifyReply.parse(await factory.control('POST', '/verify', {}))
  expect(verified.checks.filter((check) => !check.ok)).toEqual([])
  expect(verified.ok).toBe(true)
}

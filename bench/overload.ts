/**
 * What overload does to the useful answers and to those who paid to go first. The real gateway in front of a supplier of fixed capacity,
 * arrivals that do not wait for answers (Poisson), the same part of each class at every load. Run: npm run bench:overload [-- --seconds N]
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { UsageRecord } from '#contract'
import { systemClock } from '#platform/clock'
import { generousCharging } from '../test/gateway/generous-charging.ts'
import { startInProcess } from '../test/gateway/in-process.ts'
import { smallSnapshot } from '../test/gateway/small-snapshot.ts'
import { random } from '../sim/charging/random.ts'

const PLACES = 40
const TOKENS = 20
const TOKEN_MS = 15
/** Time to the first token is lognormal: this median, and about 2.5 times as much at its 99th percentile. */
const FIRST_TOKEN_MS = 500
const FIRST_TOKEN_SIGMA = 0.4
const BUDGET_MS = 2_000
const MIX = { priority: 0.1, default: 0.7, flex: 0.2 }
const LOADS = [0.5, 0.8, 1, 1.5, 2, 3, 5]
const MEAN_MS = FIRST_TOKEN_MS * Math.exp(FIRST_TOKEN_SIGMA ** 2 / 2) + TOKENS * TOKEN_MS
const CAPACITY_PER_S = (PLACES * 1000) / MEAN_MS

/** In [0, 1), the same sequence in every run. */
const numbers = random(1)
const chance = (): number => numbers.below(1_000_000) / 1_000_000

type Class = keyof typeof MIX
type Row = ReturnType<typeof report>

interface Asked {
  readonly tier: Class
  readonly status: number
  readonly ttftMs: number
  readonly retryAfter: number
}

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '15' } } })

async function main(levelMs: number): Promise<void> {
  const supplier = await startSupplier()
  const records: UsageRecord[] = []
  await using gateway = await startInProcess({
    charging: { client: generousCharging(records) },
    clock: systemClock,
    snapshot: smallSnapshot({
      baseUrl: supplier.url,
      maxConcurrency: PLACES,
      weights: { one: 1, two: 2 },
      services: { m: { firstByteTimeoutMs: BUDGET_MS * 5, sla: [target('priority'), target('standard')] } },
    }),
  })
  console.log(
    `capacity about ${CAPACITY_PER_S.toFixed(1)} answers/s (${PLACES} places × ${MEAN_MS.toFixed(0)} ms), useful: first token within ${BUDGET_MS} ms`,
  )
  const rows: Row[] = []
  for (const load of LOADS) {
    // The yardstick has few priority requests, so it is given more time.
    const spanMs = load < 1 ? 2 * levelMs : levelMs
    rows.push(report(load, await offer(gateway.url, load, spanMs), spanMs))
  }
  while (!gateway.isAtRest()) await sleep(50)
  const [calm, storm] = [rows[0], rows.at(-1)] as [Row, Row]
  const saturated = rows.filter(({ load }) => load >= 1).map(({ useful }) => useful)
  console.table(rows.map(({ shown }) => shown))
  console.log(
    `priority's p99 time to the first token at ${storm.load}×: ${(storm.priorityP99 / calm.priorityP99).toFixed(2)} of that at ${calm.load}×`,
  )
  console.log(
    `useful answers at ${storm.load}×: ${(storm.useful / Math.max(...saturated)).toFixed(2)} of the most at any load`,
  )
  console.log(
    `records ${records.length}, different ${new Set(records.map(({ id }) => id)).size}; the supplier never served more than ${supplier.most()} at once`,
  )
}

function target(tier: 'priority' | 'standard') {
  return { class: tier, ttftMs: BUDGET_MS, tpotMs: 100, attainmentPpm: 990_000, missPico: '0' }
}

/** Arrivals at `load` times the capacity for so long; resolves when all have their answer. */
async function offer(url: string, load: number, levelMs: number): Promise<readonly Asked[]> {
  const open: Promise<Asked>[] = []
  const started = performance.now()
  for (let at = 0; at < levelMs; at += (-Math.log(1 - chance()) * 1000) / (load * CAPACITY_PER_S)) {
    const waitMs = started + at - performance.now()
    if (waitMs > 1) await sleep(waitMs)
    open.push(ask(url, pick(), open.length % 3 === 0 ? 'one' : 'two'))
  }
  return Promise.all(open)
}

function pick(): Class {
  const point = chance()
  return point < MIX.priority ? 'priority' : point < MIX.priority + MIX.default ? 'default' : 'flex'
}

async function ask(url: string, tier: Class, tenant: string): Promise<Asked> {
  const started = performance.now()
  const response = await fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer sk-${tenant}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'm',
      stream: true,
      service_tier: tier,
      max_tokens: TOKENS,
      messages: [{ role: 'user', content: 'hello' }],
    }),
  })
  const ttftMs = performance.now() - started
  await response.text()
  return { tier, status: response.status, ttftMs, retryAfter: Number(response.headers.get('retry-after')) }
}

function report(load: number, asked: readonly Asked[], levelMs: number) {
  const served = asked.filter(({ status }) => status === 200)
  const useful = served.filter(({ ttftMs }) => ttftMs <= BUDGET_MS).length / (levelMs / 1000)
  const priorityP99 = percentile(served.filter(({ tier }) => tier === 'priority').map(({ ttftMs }) => ttftMs))
  const shedOf = (tier: Class) => {
    const all = asked.filter((one) => one.tier === tier)
    return `${((100 * all.filter(({ status }) => status === 429).length) / Math.max(1, all.length)).toFixed(0)} %`
  }
  const without = asked.filter(({ status, retryAfter }) => status === 429 && !(retryAfter >= 1)).length
  const other = asked.filter(({ status }) => status !== 200 && status !== 429).length
  return {
    load,
    useful,
    priorityP99,
    shown: {
      load: `${load}×`,
      asked: asked.length,
      'useful/s': useful.toFixed(1),
      'priority p99 ms': priorityP99.toFixed(0),
      'standard p99 ms': percentile(
        served.filter(({ tier }) => tier === 'default').map(({ ttftMs }) => ttftMs),
      ).toFixed(0),
      'shed priority': shedOf('priority'),
      standard: shedOf('default'),
      flex: shedOf('flex'),
      '429 without Retry-After': without,
      'other answers': other,
    },
  }
}

function percentile(all: readonly number[], part = 0.99): number {
  return all.toSorted((a, b) => a - b)[Math.min(all.length - 1, Math.floor(all.length * part))] ?? Number.NaN
}

/** Streams at a pace; how many it is given at once is the gateway's business, and counted. */
async function startSupplier() {
  let open = 0
  let most = 0
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => {
      most = Math.max(most, ++open)
      response.on('close', () => open--)
      const normal = Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance())
      setTimeout(
        () => {
          response.writeHead(200, { 'content-type': 'text/event-stream' })
          stream(TOKENS)
        },
        FIRST_TOKEN_MS * Math.exp(FIRST_TOKEN_SIGMA * normal),
      )
      const stream = (left: number): void => {
        const last = left === 0
        const choices = [{ index: 0, delta: last ? {} : { content: 'word ' }, finish_reason: last ? 'stop' : null }]
        response.write(
          `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 0, model: 'm', choices })}\n\n`,
        )
        if (!last) return void setTimeout(() => stream(left - 1), TOKEN_MS)
        const usage = { prompt_tokens: 10, completion_tokens: TOKENS, total_tokens: 10 + TOKENS }
        response.end(
          `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 0, model: 'm', choices: [], usage })}\n\ndata: [DONE]\n\n`,
        )
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, most: () => most }
}

await main(Number(values.seconds) * 1000)
process.exit(0)

import type { UsageRecord } from '#contract'
import { netOfTax, parseTokenPrices, rate } from '#kernel'
import { manualClock } from '#platform/clock'
import { nullLog } from '#platform/log'
import { SIGNING_KEY } from './quality.ts'
import { freshDatabase } from './database.ts'
import { createControlApp } from '../src/apps/control-app.ts'
import { openRooms } from '../src/apps/control-rooms.ts'

/** For tests: a control plane on a database of its own, with two tenants that share one posting. */
export const NOW_MS = Date.parse('2026-11-23T12:00:00+08:00')
export const ADMIN_TOKEN = 'admin-token-of-the-test'
export const INTERNAL_TOKEN = 'internal-token-of-the-test'
export const ACME_REQUEST = 'req_00000000000000000000000001'
export const GLOBEX_REQUEST = 'req_00000000000000000000000002'

export const FILE = `suppliers:
  - { id: secret-supplier, kind: openai-compatible, baseUrl: http://127.0.0.1:9/v1, apiKeyEnv: VENDOR_KEY }
tenants:
  - { id: acme, name: 安客, topups: [{ reference: pay-acme, amountYuan: 10 }] }
  - { id: globex, topups: [{ reference: pay-globex, amountYuan: 20 }] }
keys:
  - { id: acme-key, tenant: acme }
  - { id: globex-key, tenant: globex }
services:
  - id: babbler
    contextTokens: 256
    maxOutputTokens: 128
    tokenizer: { kind: bytes, bytesPerToken: 4 }
    sell: [{ id: sell-1, validFrom: 2026-01-01, taxPercent: 6, perMillion: { uncachedInput: 2, output: 8 } }]
    deployments:
      - { supplier: secret-supplier, model: secret-model, buy: [{ id: secret-buy, validFrom: 2026-01-01, taxPercent: 6, perMillion: { uncachedInput: 1, output: 4 } }] }
  - id: only-globex
    contextTokens: 256
    maxOutputTokens: 128
    tokenizer: { kind: bytes, bytesPerToken: 4 }
    tenants: [globex]
    sell: [{ validFrom: 2026-01-01, taxPercent: 6, perMillion: { uncachedInput: 2, output: 8 } }]
    deployments:
      - { supplier: secret-supplier, model: secret-other, buy: [{ validFrom: 2026-01-01, taxPercent: 6, perMillion: { uncachedInput: 1, output: 4 } }] }
`

export type ControlFixture = Awaited<ReturnType<typeof controlFixture>>

export async function controlFixture() {
  const database = await freshDatabase()
  const clock = manualClock(NOW_MS)
  const rooms = openRooms({ database, clock, log: nullLog, signingKey: SIGNING_KEY })
  const { charging, catalogue } = rooms
  const stopping = new AbortController()
  const app = createControlApp({
    ...rooms,
    supplierKeyOf: (name) => (name === 'VENDOR_KEY' ? 'sk-letters' : undefined),
    clock,
    log: nullLog,
    info: { version: '0.0.0', schemaVersion: '0000', gatewayUrl: 'http://127.0.0.1:8080/v1' },
    adminToken: ADMIN_TOKEN,
    internalToken: INTERNAL_TOKEN,
    allowedHosts: ['console.example'],
    callerAddress: () => 'test',
    stopping: stopping.signal,
    staticFolder: new URL('no-such-folder', import.meta.url).pathname,
    checkReady: async () => undefined,
    renderMetrics: () => '',
    countRequest: () => undefined,
  })

  await catalogue.apply({ text: FILE, fileName: 'f.yaml', dryRun: false })
  await charging.register({ gateway: 'gw-0', journal: 'journal-of-test' })
  const slices: string[] = []
  for (const [index, tenant] of ['acme', 'globex'].entries()) {
    const reply = await charging.grant({
      gateway: 'gw-0',
      epoch: 1,
      seq: index + 1,
      bucket: `wallet:${tenant}`,
      min: '1000000000',
      want: '1000000000000',
    })
    if (reply.outcome !== 'granted') throw new Error(reply.outcome)
    slices.push(reply.slice.id)
  }
  const [acmeSlice = '', globexSlice = ''] = slices
  await charging.ingest({
    gateway: 'gw-0',
    records: [recordOf(ACME_REQUEST, 'acme', acmeSlice), recordOf(GLOBEX_REQUEST, 'globex', globexSlice)],
  })
  return {
    ...rooms,
    database,
    clock,
    app,
    acmeSlice,
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await database[Symbol.asyncDispose]()
    },
  }
}

/** A rightly rated record, as a gateway would write it. */
export function recordOf(id: string, tenant: string, slice: string): UsageRecord {
  const tokens = { uncachedInput: 100, cacheWrite: 0, cacheRead: 0, output: 50, reasoning: 0 }
  const prices = (input: number, output: number) =>
    parseTokenPrices({
      uncachedInput: `${input}000000`,
      cacheWrite: `${input}000000`,
      cacheRead: `${input}000000`,
      output: `${output}000000`,
      reasoning: `${output}000000`,
    })
  const sell = rate(tokens, prices(2, 8))
  return {
    id,
    gateway: 'gw-0',
    epoch: 1,
    slice,
    tenant,
    key: `${tenant}-key`,
    service: 'babbler',
    supplier: 'secret-supplier',
    model: 'secret-model',
    stream: true,
    ending: 'completed',
    finishReason: 'stop',
    status: 200,
    acceptedAtMs: NOW_MS - 2_000,
    completedAtMs: NOW_MS - 1_000,
    ttftMs: 50,
    durationMs: 900,
    reported: tokens,
    counted: { input: 100, output: 50, method: 'estimate' },
    tokens,
    basis: 'reported',
    note: 'secret-note',
    holdPico: `${sell * 2n}`,
    sellPico: `${sell}`,
    taxPico: `${sell - netOfTax(sell, 6)}`,
    buyPico: `${rate(tokens, prices(1, 4))}`,
    sellSheet: 'sell-1',
    buySheet: 'secret-buy',
    candidates: [{ supplier: 'secret-supplier', model: 'secret-model', verdict: 'eligible' }],
    attempts: [
      { supplier: 'secret-supplier', model: 'secret-model', outcome: 'served', status: 200, startMs: 0, endMs: 900 },
    ],
  }
}

import { createBodyBudget, createGatewayMetrics } from '#gateway'
import type { Snapshot } from '#contract'
import { systemClock } from '#platform/clock'
import { createRequestIds, sha256 } from '#platform/crypto'
import { generousCharging } from '../../test/gateway/generous-charging.ts'
import { startInProcess } from '../../test/gateway/in-process.ts'
import type { InProcess } from '../../test/gateway/in-process.ts'
import { BENCH_MODEL } from './answers.ts'
import { BENCH_KEY } from './contestant.ts'

const FOREVER = { validFromMs: 0, validToMs: null }
const PRICES = {
  uncachedInput: '2000000',
  cacheWrite: '2000000',
  cacheRead: '1000000',
  output: '8000000',
  reasoning: '8000000',
}
const SHEET = { id: 'bench:1', currency: 'CNY' as const, ...FOREVER, taxPercent: 6, prices: PRICES }
const LIMITS = { requestsPerMinute: 10_000_000, tokensPerMinute: 100_000_000_000, maxConcurrency: 1_000_000 }

function snapshotFor(supplierPort: number): Snapshot {
  return {
    version: 1,
    tenants: [{ id: 'bench', displayName: 'bench', status: 'active', limits: LIMITS }],
    keys: [
      {
        id: 'bench',
        tenant: 'bench',
        name: 'bench',
        hash: sha256(BENCH_KEY),
        status: 'active',
        expiresAtMs: null,
        limits: LIMITS,
      },
    ],
    services: [
      {
        id: BENCH_MODEL,
        displayName: BENCH_MODEL,
        createdMs: 0,
        contextTokens: 131_072,
        maxOutputTokens: 4096,
        tokenizer: { kind: 'bytes', bytesPerToken: 4 },
        tenants: [],
        sellSheets: [SHEET],
        deployments: [{ supplier: 'mock', model: BENCH_MODEL, priority: 1, buySheets: [SHEET] }],
        firstByteTimeoutMs: 60_000,
        idleTimeoutMs: 60_000,
        totalTimeoutMs: 600_000,
      },
    ],
    suppliers: [
      {
        id: 'mock',
        displayName: 'mock',
        kind: 'openai-compatible',
        baseUrl: `http://127.0.0.1:${supplierPort}/v1`,
        apiKeyEnv: null,
        maxConcurrency: 100_000,
        maxTokensField: 'max_tokens',
      },
    ],
  }
}

/**
 * The gateway as a worker thread builds it, in this thread, with a worker's bounds, ids and metrics: only charging is a stand-in, as
 * what posting costs is measured by the whole benchmark.
 */
export function startGatewayInProcess(supplierPort: number): Promise<InProcess> {
  const slots = new Map<string, number>()
  const metrics = createGatewayMetrics()
  return startInProcess({
    charging: { client: generousCharging() },
    snapshot: snapshotFor(supplierPort),
    clock: systemClock,
    slotOf(name) {
      const slot = slots.get(name) ?? slots.size
      slots.set(name, slot)
      return slot
    },
    own: {
      settings: {
        maxBodyBytes: 33_554_432,
        maxAnswerBytes: 33_554_432,
        streamLingerMs: 2_000,
        answerLingerMs: 30_000,
        allowedOrigins: new Set(),
      },
      bodyBudget: createBodyBudget(536_870_912),
      newRequestId: createRequestIds(systemClock),
      observe: metrics.observe,
      refused: metrics.refused,
    },
  })
}

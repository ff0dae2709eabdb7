import type { PriceSheet, Snapshot } from '#contract'
import { hashOf } from './in-process.ts'

/** One supplier, services of its one model sold in all classes, and tenants by weight, each with the key `sk-<id>`. */
export function smallSnapshot(options: {
  readonly baseUrl: string
  readonly maxConcurrency: number
  readonly weights: Readonly<Record<string, number>>
  /** What a service has that others have not. */
  readonly services: Readonly<Record<string, Partial<Snapshot['services'][number]>>>
}): Snapshot {
  const prices = { uncachedInput: '1', cacheWrite: '1', cacheRead: '1', output: '2', reasoning: '2' }
  const tiers = ['priority', 'flex', 'batch'] as const
  const sheet: PriceSheet = {
    id: 's',
    currency: 'CNY',
    validFromMs: 0,
    validToMs: null,
    taxPercent: 6,
    prices,
    variants: tiers.map((tier) => ({ when: { tier }, prices })),
  }
  const tenants = Object.entries(options.weights)
  return {
    version: 1,
    tenants: tenants.map(([id, weight]) => ({ id, displayName: id, status: 'active', limits: {}, weight })),
    keys: tenants.map(([id]) => ({
      id,
      tenant: id,
      name: id,
      hash: hashOf(`sk-${id}`),
      status: 'active',
      expiresAtMs: null,
      limits: {},
    })),
    suppliers: [
      {
        id: 'only',
        displayName: 'only',
        kind: 'openai-compatible',
        baseUrl: options.baseUrl,
        apiKeyEnv: null,
        maxConcurrency: options.maxConcurrency,
        maxTokensField: 'max_tokens',
      },
    ],
    services: Object.entries(options.services).map(([id, over]) => ({
      id,
      displayName: id,
      createdMs: 0,
      contextTokens: 1000,
      maxOutputTokens: 100,
      tokenizer: { kind: 'bytes', bytesPerToken: 4 },
      tenants: [],
      sellSheets: [sheet],
      deployments: [{ supplier: 'only', model: 'm', priority: 0, buySheets: [sheet] }],
      firstByteTimeoutMs: 600_000,
      idleTimeoutMs: 600_000,
      totalTimeoutMs: 600_000,
      ...over,
    })),
  }
}

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConversionTable, Means, SpendCap, Tenant } from '#contract'
import { parseTokenPrices, upperBound } from '#kernel'
import type { Problem, TokenClass } from '#kernel'
import { createHolds } from '#holds'
import type { ChargingClient } from '#holds'
import { systemClock } from '#platform/clock'
import { openJournal } from '#platform/journal'
import { nullLog } from '#platform/log'
import { fund } from './fund.ts'
import type { Funds } from './fund.ts'
import { arrangeFunding } from './means.ts'
import { readTables } from './tables.ts'

export const flat = (input: bigint, output = input): Record<TokenClass, string> => ({
  uncachedInput: `${input}`,
  cacheWrite: `${input}`,
  cacheRead: `${input}`,
  output: `${output}`,
  reasoning: `${output}`,
})
export const table = (id: string, weights: Record<TokenClass, string>): ConversionTable => ({
  id,
  displayName: id,
  versions: [{ id: `${id}-v1`, validFromMs: 0, validToMs: null, weights: [{ service: 'm', weights }] }],
})
/** 2026-11-25 08:00:30 in China. */
export const atMs = Date.parse('2026-11-25T00:00:30Z')
export const MINUTE = `@${Math.floor(atMs / 60_000)}`
export const sell = parseTokenPrices(flat(2n, 8n))
export const bounds = { inputTokens: 100, outputTokens: 50 }
export const MOST = upperBound(bounds, sell)

export const wallet: Means = { kind: 'wallet', id: 'w', bucket: 'wallet:t', payer: 't' }
export const tokens: Means = { kind: 'tokens', id: 'p', bucket: 'tokens:t', table: 'std' }
export const reserved = (over: Partial<Means & { kind: 'throughput' }> = {}): Means => ({
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
export const std = table('std', flat(1n))
/** What a whole request takes of `std`. */
export const UNITS = 150n
export const rich = { 'wallet:t': 10n ** 15n }

export interface Given {
  readonly means: readonly Means[]
  readonly caps?: readonly SpendCap[]
  readonly status?: Tenant['status']
  readonly tables?: readonly ConversionTable[]
  readonly filled: Readonly<Record<string, bigint>>
  /** The shortest answer that will do. */
  readonly leastOutput?: number
}

/** What money must be held for an answer of at most so much. */
export const costOf = (outputTokens: number): bigint => upperBound({ ...bounds, outputTokens }, sell)

/** The real holds and journal, with a control plane that grants what its buckets have. For tests only. */
export async function fundingStage() {
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
      const validUntilMs = systemClock.nowMs() + 60_000
      const slice = { id: `s${seq}`, bucket, epoch: 1, amount: `${amount}`, validUntilMs, tight: false }
      return { outcome: 'granted', slice }
    },
    close: async () => ({ outcome: 'closed' }),
    openSlices: async () => [],
    usage: async (_gateway, records) => ({ accepted: records.length, duplicates: 0, quarantined: [] }),
  }
  const dir = mkdtempSync(join(tmpdir(), 'tokenfactory-fund-'))
  const journal = await openJournal(dir)
  const holds = createHolds({
    gateway: 'gw-0',
    journal,
    charging,
    clock: systemClock,
    log: nullLog,
    limits: { refusedRetryMs: 1 },
  })
  let runs = 0

  /** Every bucket of a run has the run's number in its name, so that runs share holds and nothing else. */
  async function funded(given: Given): Promise<Funds | Problem> {
    const { means, caps = [], status = 'active', tables = [], filled, leastOutput } = given
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
    const finalUnit =
      leastOutput === undefined ? undefined : { least: leastOutput, step: 1, most: bounds.outputTokens, costOf }
    return new Promise((resolve) =>
      fund(holds, funding, { ...asked, moneyBound: MOST, tenant: 't', finalUnit }, resolve),
    )
  }

  return {
    holds,
    funded,
    /** The bucket of a slice that was granted. */
    bucketOf: (slice: string) => granted.get(slice),
    async [Symbol.asyncDispose]() {
      await holds.close(1_000)
      await journal[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true })
    },
  }
}

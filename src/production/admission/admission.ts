import type { Limits as LimitValues } from '#contract'
import type { Limits, Slot } from './limit-table.ts'
import { rateLimitExceeded, requestAboveLimit } from './problems.ts'

/** A key's or tenant's limits and where they are counted. */
export interface Quota {
  readonly scope: 'API key' | 'tenant'
  readonly slot: Slot
  readonly limits: LimitValues
}

/** What the rate-limit headers say: the first quota that limits the kind, or undefined when none does. */
export interface Standing {
  readonly limit: number
  readonly remaining: number
  readonly resetMs: number
}

/** Room taken for one request. Give it back exactly once with `release`. */
export interface Ticket {
  readonly requests: Standing | undefined
  readonly tokens: Standing | undefined
  /** Ends the request: concurrency is freed, reserved tokens that were not used go back, used ones beyond the reservation are taken. */
  release(usedTokens: number): void
}

export interface Admission {
  /** Takes room in every quota or throws `rate_limit_exceeded` / `request_above_token_limit` having taken none. */
  admit(quotas: readonly Quota[], reserveTokens: number): Ticket
}

const NANOS_PER_MINUTE = 60_000_000_000

export function createAdmission({ limits, nowNs }: { limits: Limits; nowNs: () => bigint }): Admission {
  return {
    admit(quotas, reserveTokens) {
      const now = nowNs()
      let requests: Standing | undefined
      let tokens: Standing | undefined
      for (let i = 0; i < quotas.length; i++) {
        const taken: Taken = { concurrency: false, requests: false }
        const quota = quotas[i] as Quota
        try {
          takeConcurrency(limits, quota, taken)
          requests = tightest(requests, takeRate(limits, quota, 'requests', quota.limits.requestsPerMinute, 1, now))
          taken.requests = quota.limits.requestsPerMinute !== undefined
          tokens = tightest(tokens, takeRate(limits, quota, 'tokens', quota.limits.tokensPerMinute, reserveTokens, now))
        } catch (refusal) {
          giveBack(limits, quota, taken)
          for (const earlier of quotas.slice(0, i)) undo(limits, earlier, reserveTokens)
          throw refusal
        }
      }
      return {
        requests,
        tokens,
        release: (usedTokens) => release(limits, quotas, reserveTokens - usedTokens, Number(nowNs() - now)),
      }
    },
  }
}

/** What one quota has given so far; its tokens come last, so a quota that gave them gave everything. */
interface Taken {
  concurrency: boolean
  requests: boolean
}

function takeConcurrency(limits: Limits, { scope, slot, limits: { maxConcurrency } }: Quota, taken: Taken): void {
  if (maxConcurrency === undefined) return
  if (!limits.enter(slot, maxConcurrency))
    throw rateLimitExceeded({ scope, limit: 'requests at once', allowed: maxConcurrency, retryAfterMs: 1000 })
  taken.concurrency = true
}

function takeRate(
  limits: Limits,
  { scope, slot }: Quota,
  bucket: 'requests' | 'tokens',
  perMinute: number | undefined,
  amount: number,
  now: bigint,
): Standing | undefined {
  if (perMinute === undefined) return undefined
  if (amount > perMinute) throw requestAboveLimit({ scope, allowed: perMinute, needed: amount })
  const take = limits.take(bucket, slot, perMinute, amount, now)
  if (!take.ok)
    throw rateLimitExceeded({ scope, limit: `${bucket} per minute`, allowed: perMinute, retryAfterMs: take.waitMs })
  return { limit: perMinute, remaining: take.remaining, resetMs: take.resetMs }
}

function giveBack(limits: Limits, { slot, limits: values }: Quota, taken: Taken): void {
  if (taken.concurrency) limits.leave(slot)
  if (taken.requests && values.requestsPerMinute !== undefined)
    limits.giveBack('requests', slot, values.requestsPerMinute, 1)
}

function undo(limits: Limits, quota: Quota, reservedTokens: number): void {
  giveBack(limits, quota, { concurrency: quota.limits.maxConcurrency !== undefined, requests: true })
  if (quota.limits.tokensPerMinute !== undefined)
    limits.giveBack('tokens', quota.slot, quota.limits.tokensPerMinute, reservedTokens)
}

function tightest(a: Standing | undefined, b: Standing | undefined): Standing | undefined {
  if (!a || !b) return a ?? b
  return b.remaining < a.remaining ? b : a
}

/** What has refilled since the reservation is not given back a second time. */
function release(limits: Limits, quotas: readonly Quota[], unusedTokens: number, elapsedNs: number): void {
  for (const { slot, limits: values } of quotas) {
    if (values.maxConcurrency !== undefined) limits.leave(slot)
    if (values.tokensPerMinute === undefined) continue
    const refilled = (elapsedNs * values.tokensPerMinute) / NANOS_PER_MINUTE
    const amount = unusedTokens > 0 ? Math.max(0, unusedTokens - refilled) : unusedTokens
    limits.giveBack('tokens', slot, values.tokensPerMinute, amount)
  }
}

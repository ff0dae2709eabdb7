import type { Ask, Endpoint, Market, Result, Scheduler } from './index.ts'

/** What tests of the scheduler start from: one endpoint, one request, one attempt. */

export const endpoint = (supplierId: string, over: Partial<Endpoint> = {}): Endpoint => ({
  supplierId,
  model: 'm',
  priority: 0,
  hasCredentials: true,
  costsAt: () => ({ input: 1, cachedInput: 1, output: 1 }),
  ...over,
})

/** Every token costs the same there. */
export const priced = (price: number) => ({ costsAt: () => ({ input: price, cachedInput: price, output: price }) })

export const ask = (over: Partial<Ask> = {}): Ask => ({
  service: 's',
  slaClass: 'standard',
  strategy: 'balanced',
  tenant: 't',
  inputTokens: 100,
  expectedOutputTokens: 100,
  prefixKey: undefined,
  needs: [],
  regions: undefined,
  nowMs: 0,
  acceptedAtMs: 0,
  tried: [],
  ...over,
})

export const market = (
  endpoints: readonly Endpoint[],
  over: Partial<Market<Endpoint>['services'][number]> = {},
  more: Partial<Market<Endpoint>> = {},
): Market<Endpoint> => ({
  services: [{ id: 's', sla: [], regions: undefined, endpoints, ...over }],
  links: [],
  commitments: [],
  lots: [],
  ...more,
})

/** One attempt from beginning to end. */
export function attempt(
  scheduler: Scheduler<Endpoint>,
  one: Endpoint,
  {
    outcome = 'served',
    nowMs = 0,
    ttftMs,
    over = {},
    status = null,
    retryAfterMs,
  }: {
    readonly outcome?: Result['outcome']
    readonly nowMs?: number
    readonly ttftMs?: number
    readonly over?: Partial<Ask>
    readonly status?: number | null
    readonly retryAfterMs?: number
  },
): void {
  const work = ask({ nowMs, acceptedAtMs: nowMs, ...over })
  const running = scheduler.began(one, work)
  if (ttftMs !== undefined) scheduler.firstToken(running, ttftMs)
  const endMs = nowMs + (ttftMs ?? 0)
  scheduler.ended(running, { outcome, status, retryAfterMs, nowMs: endMs })
  if (outcome === 'served')
    scheduler.settled(running, {
      inputTokens: work.inputTokens,
      cachedInputTokens: 0,
      outputTokens: work.expectedOutputTokens,
    })
}

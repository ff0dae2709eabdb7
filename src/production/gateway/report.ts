import type { EndpointRow, GatewayReport } from '#contract'
import type { Gateway } from './gateway.ts'
import type { Tally } from './tally.ts'

/** What this worker sees now and has counted since it started. */
export function reportOf(
  gateway: Gateway,
  { tally, startedAtMs }: { readonly tally: Tally; readonly startedAtMs: number },
): GatewayReport {
  const { endpoints, commitments } = gateway.scheduler.view(gateway.nowMs())
  return {
    gateway: gateway.gatewayId,
    startedAtMs,
    suppliers: suppliersOf(gateway),
    served: [...tally.rows()],
    queues: [...gateway.flow.view(performance.now())],
    endpoints: endpoints.map(
      ({ supplier, model, breaker, isMisconfigured, inFlight, limit, errorRate, ttftMs, tpotMs }): EndpointRow => ({
        supplier,
        model,
        breaker,
        isMisconfigured,
        inFlight,
        ...(Number.isFinite(limit) ? { limit } : {}),
        errorRate,
        ttftMs,
        tpotMs: Number.isFinite(tpotMs) ? tpotMs : null,
      }),
    ),
    shares: commitments.map(({ id, supplier, kind, deliveredTokens, relief }) => ({
      commitment: id,
      supplier,
      kind,
      deliveredTokens,
      relief,
    })),
  }
}

/** Counted over this worker's own requests, so that workers can be added up. */
function suppliersOf({ directory, flights }: Gateway): GatewayReport['suppliers'] {
  const found = new Map<string, { supplier: string; inFlight: number; hasCredentials: boolean }>()
  for (const { lines } of directory().services.values())
    for (const { supplierId, hasCredentials } of lines)
      found.set(supplierId, { supplier: supplierId, inFlight: 0, hasCredentials })
  for (const { running, rival } of flights.snapshot())
    for (const attempt of [running, rival]) {
      const at = attempt && found.get(attempt.line.supplierId)
      if (at) at.inFlight++
    }
  return [...found.values()]
}

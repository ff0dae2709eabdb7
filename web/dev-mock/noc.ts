import type { DrainPreview, DrainView, LaneView, NocReply, SupplierLoadView, SupplierView } from '#contract'

/** What operators watch, invented: two suppliers, one of which is the only one of a service. */
export interface MockNoc {
  view(nowMs: number): NocReply
  preview(supplier: string): DrainPreview
  drain(supplier: string, reason: string, nowMs: number): DrainView
  undrain(supplier: string, reason: string, nowMs: number): DrainView | undefined
}

const MINUTE_MS = 60_000

export function createMockNoc(suppliers: readonly SupplierView[], services: readonly string[]): MockNoc {
  const drains: DrainView[] = []
  const openOf = (supplier: string) => drains.find((one) => one.supplier === supplier && one.undrainedAtMs === null)
  const [service = 'chat', other = 'code'] = services

  const lane = (over: Partial<LaneView>): LaneView => ({
    service,
    tier: 'standard',
    demandPerMinute: 412.4,
    shedPerMinute: 0,
    inputTokensPerMinute: 482_000,
    outputTokensPerMinute: 96_400,
    running: 31,
    waiting: 0,
    oldestMs: 0,
    expectedWaitMs: null,
    targetPpm: 990_000,
    attainmentPpm: { fiveMinutes: 997_100, hour: 995_800 },
    burnRate: { fiveMinutes: 0.29, hour: 0.42 },
    ...over,
  })

  return {
    view: (nowMs) => ({
      atMs: nowMs,
      gateways: [
        { gateway: 'gw-0', ageMs: 640, isStale: false },
        { gateway: 'gw-1', ageMs: 23_000, isStale: true },
      ],
      lanes: [
        lane({ tier: 'priority', demandPerMinute: 88, targetPpm: 999_000 }),
        lane({
          shedPerMinute: 36.5,
          waiting: 18,
          oldestMs: 640,
          expectedWaitMs: 720,
          attainmentPpm: { fiveMinutes: 981_000, hour: 991_000 },
          burnRate: { fiveMinutes: 1.9, hour: 0.9 },
        }),
        lane({
          service: other,
          targetPpm: null,
          attainmentPpm: { fiveMinutes: null, hour: null },
          burnRate: { fiveMinutes: null, hour: null },
        }),
      ],
      suppliers: suppliers.map(({ id, displayName, maxConcurrency }, index): SupplierLoadView => ({
        supplier: id,
        displayName,
        drain: openOf(id) ?? null,
        hasCredentials: true,
        inFlight: 12 + index,
        maxConcurrency,
        requestsPerMinute: 250,
        inputTokensPerMinute: 240_000,
        outputTokensPerMinute: 48_000,
        sharePpm: 500_000,
        attainmentPpm: { fiveMinutes: 996_000, hour: 995_000 },
        endpoints: [
          {
            supplier: id,
            model: 'model',
            breaker: index === 1 ? 'half_open' : 'closed',
            isMisconfigured: false,
            inFlight: 12,
            limit: 24,
            errorRate: 0.004,
            ttftMs: 412,
            tpotMs: 18,
          },
        ],
        shares: [
          { commitment: 'frame-2026/lot-1', supplier: id, kind: 'take_or_pay', deliveredTokens: 8.1e9, relief: 0.31 },
        ],
      })),
      minutes: Array.from({ length: 30 }, (_, i) => ({
        atMs: (Math.floor(nowMs / MINUTE_MS) - 29 + i) * MINUTE_MS,
        requests: 400 + ((i * 37) % 90),
        shed: i > 20 ? 30 : 0,
        valid: 400,
        good: 396,
        inputTokens: 480_000,
        outputTokens: 96_000,
      })),
      drains: drains.toReversed(),
    }),
    preview: (supplier) => ({
      supplier,
      isKnown: true,
      moves: [
        {
          service,
          tier: 'standard',
          requestsPerMinute: 200,
          to: suppliers
            .filter(({ id }) => id !== supplier)
            .slice(0, 1)
            .map(({ id }) => ({ supplier: id, model: 'model', requestsPerMinute: 180 })),
          lostPerMinute: 20,
        },
      ],
      loads: suppliers
        .filter(({ id }) => id !== supplier)
        .map(({ id, maxConcurrency }) => ({ supplier: id, before: 12, after: 20, maxConcurrency })),
      costPerMinutePico: { before: 100, after: 112 },
      orphaned: supplier === suppliers[0]?.id ? [other] : [],
    }),
    drain(supplier, drainReason, drainedAtMs) {
      const drain: DrainView = {
        ...{ supplier, drainedAtMs, drainReason },
        drainedBy: 'operator@example.com',
        undrainedAtMs: null,
        undrainedBy: null,
        undrainReason: null,
      }
      drains.push(drain)
      return drain
    },
    undrain(supplier, undrainReason, undrainedAtMs) {
      const open = openOf(supplier)
      if (!open) return undefined
      const closed = { ...open, undrainReason, undrainedAtMs, undrainedBy: 'operator@example.com' }
      drains[drains.indexOf(open)] = closed
      return closed
    },
  }
}

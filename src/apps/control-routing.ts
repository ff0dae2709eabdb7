import type { Snapshot } from '#contract'
import { marketOf } from '#gateway'
import type { Flow, Route } from '#noc'
import { createScheduler } from '#scheduler'
import type { Endpoint } from '#scheduler'

/** Neither exploring nor breaking ties: the same answer every time. */
const MIDDLE = 0.5

/** Where traffic would go. */
export interface Routing {
  /** Who may serve it, best first, by the scheduler that gateways run; it has learned nothing here. */
  routesOf(flow: Flow): readonly Route[]
  /** Services that nobody may serve. */
  orphans(): readonly string[]
}

export function routingOf(
  snapshot: Snapshot,
  around: { readonly nowMs: number; readonly hasCredentials: (supplier: string) => boolean },
): Routing {
  const { nowMs, hasCredentials } = around
  const scheduler = createScheduler<Endpoint>({ random: () => MIDDLE })
  scheduler.adopt(marketOf(snapshot, hasCredentials))
  const askOf = ({ service, tier, strategy, regions, inputTokens, outputTokens }: Question) => ({
    service,
    slaClass: tier,
    strategy,
    tenant: '',
    inputTokens: Math.round(inputTokens),
    expectedOutputTokens: Math.round(outputTokens),
    prefixKey: undefined,
    needs: [],
    regions: regions ?? undefined,
    nowMs,
    acceptedAtMs: nowMs,
    tried: [],
  })
  return {
    routesOf(flow) {
      const { tier, inputTokens, outputTokens } = flow
      return scheduler.choose(askOf(flow)).order.map((endpoint) => {
        const costs = endpoint.costsAt(nowMs, tier, inputTokens)
        const pricePico = costs ? costs.input * inputTokens + costs.output * outputTokens : 0
        return { supplier: endpoint.supplierId, model: endpoint.model, pricePico }
      })
    },
    orphans: () =>
      snapshot.services.flatMap(({ id }) =>
        scheduler.choose(askOf({ ...ANYTHING, service: id })).order.length === 0 ? [id] : [],
      ),
  }
}

type Question = Pick<Flow, 'service' | 'tier' | 'strategy' | 'regions' | 'inputTokens' | 'outputTokens'>

const ANYTHING: Omit<Question, 'service'> = {
  tier: 'standard',
  strategy: 'balanced',
  regions: null,
  inputTokens: 1,
  outputTokens: 1,
}

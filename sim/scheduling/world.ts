import { createAgenda } from './agenda.ts'
import type { Agenda } from './agenda.ts'
import { createGateway } from './gateway.ts'
import type { Gateway } from './gateway.ts'
import type { Incident, SimulatedMarket } from './market.ts'
import type { PolicyKind } from './policy.ts'
import { stream } from './random.ts'
import { createSupplier } from './supplier.ts'
import type { Answer, Call, Supplier } from './supplier.ts'
import { createTally } from './tally.ts'
import type { Tally } from './tally.ts'
import { durationMs } from './workload.ts'
import type { Workload } from './workload.ts'

export interface World {
  readonly workload: Workload
  readonly market: SimulatedMarket
  readonly incidents: readonly Incident[]
}

const TICK_MS = 250

/** Runs a workload through gateways with this policy. The same seed gives the same suppliers the same luck under every policy. */
export function simulate({ workload, market, incidents }: World, kind: PolicyKind, seed: number): Tally {
  const agenda = createAgenda()
  const tally = createTally(workload, market)
  const gateways: Gateway[] = []
  const hear = ({ call, answer }: { readonly call: Call; readonly answer: Answer }) =>
    gateways[call.gateway]!.hear(call, answer)
  const suppliers = market.suppliers.map((nature) =>
    createSupplier(nature, agenda, (call, answer) => agenda.at(agenda.nowMs + call.rttMs / 2, hear, { call, answer })),
  )
  market.gateways.forEach((region, index) => {
    const random = stream(seed, `policy of gateway ${index}`)
    const policy = kind.make({ market, region, gateways: market.gateways.length, random })
    gateways.push(createGateway({ index, region, seed, agenda, workload, market, suppliers, tally, policy }))
  })
  planIncidents(agenda, suppliers, incidents)
  planTicks(agenda, gateways, durationMs(workload))
  planArrivals(agenda, gateways, workload, market)
  agenda.run()
  tally.events = agenda.events
  return tally
}

/** One arrival plans the next, so that a long day does not fill the agenda. */
function planArrivals(agenda: Agenda, gateways: readonly Gateway[], workload: Workload, market: SimulatedMarket): void {
  const regions = [...new Set(market.gateways)]
  const serving = regions.map((region) => gateways.filter((_, index) => market.gateways[index] === region))
  const turns = regions.map(() => 0)
  const arrive = (request: number): void => {
    if (request + 1 < workload.count) agenda.at(workload.arrivalMs[request + 1]!, arrive, request + 1)
    const region = workload.region[request]! % regions.length
    const choices = serving[region]!
    choices[turns[region]!++ % choices.length]!.accept(request)
  }
  if (workload.count > 0) agenda.at(workload.arrivalMs[0]!, arrive, 0)
}

function planTicks(agenda: Agenda, gateways: readonly Gateway[], untilMs: number): void {
  const tick = (): void => {
    for (const { policy } of gateways) policy.tick(agenda.nowMs)
    if (agenda.nowMs < untilMs) agenda.at(agenda.nowMs + TICK_MS, tick, undefined)
  }
  agenda.at(0, tick, undefined)
}

function planIncidents(agenda: Agenda, suppliers: readonly Supplier[], incidents: readonly Incident[]): void {
  const begin = ({ supplier, kind, strength }: Incident): void => {
    const victim = suppliers[supplier]!
    if (kind === 'brown_out') victim.brown(strength)
    else if (kind === 'black_out') victim.black(true)
    else victim.storm(strength)
  }
  const over = ({ supplier, kind }: Incident): void => {
    const victim = suppliers[supplier]!
    if (kind === 'brown_out') victim.brown(1)
    else if (kind === 'black_out') victim.black(false)
    else victim.storm(0)
  }
  for (const incident of incidents) {
    agenda.at(incident.fromMs, begin, incident)
    agenda.at(incident.toMs, over, incident)
  }
}

import { createCommitment, renewCommitment } from './commitments.ts'
import type { CommitmentState } from './commitments.ts'
import { keyOf } from './endpoint.ts'
import type { Endpoint } from './endpoint.ts'
import { isAllowed } from './filters.ts'
import { createLane, retarget } from './lane.ts'
import type { Lane } from './lane.ts'
import type { Market, ServiceOffer } from './market.ts'
import { candidateOf } from './place.ts'
import type { Place, Seat } from './place.ts'

/** Between two regions of which nothing is declared, milliseconds there and back. */
const DEFAULT_RTT_MS = 50
/** First token of an endpoint that nothing is known of, beside the distance. */
const FIRST_TTFT_MS = 500
const BYTES_PER_MEBIBYTE = 1_048_576
const UNLIMITED = 1_000_000

/** What outlives a snapshot: promises with their debt and contracts with their counts. */
export interface Standing {
  readonly lanes: Map<string, Lane>
  readonly commitments: Map<string, CommitmentState>
}

export interface Surroundings {
  /** Where state of a supplier (by its id) or of a supplier's model (by `keyOf`) is kept. */
  readonly slotOf: (key: string) => number
  /** Where this gateway stands; undefined: nobody said. */
  readonly region: string | undefined
  /** Gateway processes that share what contracts allow. */
  readonly gateways: number
  /** Threads in all of them that count tokens of contracts. */
  readonly writers: number
  readonly expectTtft: (slot: number, ms: number) => void
}

/** The market, arranged for looking things up while a request waits. */
export function arrangeMarket<E extends Endpoint>(
  market: Market<E>,
  standing: Standing,
  around: Surroundings,
): Map<string, Place<E>> {
  renewCommitments(market, standing, around.writers)
  const lots = Map.groupBy(market.lots, ({ supplier, model }) => keyOf({ supplierId: supplier, model }))
  const named = new Set<string>()
  const places = market.services.map((offer): [string, Place<E>] => {
    const seats = offer.endpoints.map((endpoint): Seat<E> => {
      const slot = around.slotOf(keyOf(endpoint))
      const distance = distanceTo(endpoint, market, around)
      around.expectTtft(slot, FIRST_TTFT_MS + distance.rttMs)
      return {
        endpoint,
        slot,
        supplierSlot: around.slotOf(endpoint.supplierId),
        most: partOf(endpoint.maxConcurrency ?? UNLIMITED, around.gateways),
        perMinute: rateOf(endpoint, around.gateways),
        isAllowedHere: isAllowed(endpoint.region, offer.regions),
        lots: lots.get(keyOf(endpoint)) ?? [],
        gateways: around.gateways,
        commitments: [...standing.commitments.values()].filter(
          ({ terms }) => terms.supplier === endpoint.supplierId && terms.services.includes(offer.id),
        ),
        bytePico: distance.mebibytePico / BYTES_PER_MEBIBYTE,
        verdicts: {},
      }
    })
    const priorities = new Set(seats.map(({ endpoint }) => endpoint.priority))
    return [
      offer.id,
      {
        offer,
        seats,
        lanes: lanesOf(offer, standing, named),
        isRanked: priorities.size === seats.length,
        slots: Int32Array.from(seats, ({ slot }) => slot),
        candidates: seats.map((seat) => candidateOf(seat, 'eligible')),
        whole: undefined,
      },
    ]
  })
  for (const name of standing.lanes.keys()) if (!named.has(name)) standing.lanes.delete(name)
  return new Map(places)
}

function lanesOf<E extends Endpoint>(
  { id, sla }: ServiceOffer<E>,
  { lanes }: Standing,
  named: Set<string>,
): Place<E>['lanes'] {
  return Object.fromEntries(
    sla.map((target) => {
      const name = `${id} ${target.class}`
      named.add(name)
      const known = lanes.get(name)
      if (known) retarget(known, target)
      const lane = known ?? createLane(id, target)
      lanes.set(name, lane)
      return [target.class, lane]
    }),
  )
}

function renewCommitments<E extends Endpoint>({ commitments }: Market<E>, standing: Standing, writers: number): void {
  const ids = new Set(commitments.map(({ id }) => id))
  for (const id of standing.commitments.keys()) if (!ids.has(id)) standing.commitments.delete(id)
  for (const terms of commitments) {
    const known = standing.commitments.get(terms.id) ?? createCommitment(terms)
    renewCommitment(known, terms)
    known.writers = writers
    standing.commitments.set(terms.id, known)
  }
  const groups = Map.groupBy(standing.commitments.values(), ({ terms: { terms } }) =>
    terms.kind === 'share' ? terms.group : undefined,
  )
  for (const [group, members] of groups) if (group !== undefined) for (const member of members) member.group = members
}

function distanceTo<E extends Endpoint>({ region }: Endpoint, { links }: Market<E>, around: Surroundings) {
  const here = around.region
  if (here === undefined || region === undefined || here === region) return { rttMs: 0, mebibytePico: 0 }
  const link = links.find(({ from, to }) => (from === here && to === region) || (from === region && to === here))
  return { rttMs: link?.rttMs ?? DEFAULT_RTT_MS, mebibytePico: Number(link?.mebibytePico ?? 0) }
}

/** Gateways do not tell each other what they use; each keeps to its part of what a contract allows. */
function partOf(all: number, gateways: number): number {
  return Math.max(1, Math.floor(all / gateways))
}

function rateOf({ requestsPerMinute, tokensPerMinute }: Endpoint, gateways: number): Seat<Endpoint>['perMinute'] {
  if (requestsPerMinute === undefined && tokensPerMinute === undefined) return undefined
  return {
    requests: requestsPerMinute === undefined ? Number.POSITIVE_INFINITY : partOf(requestsPerMinute, gateways),
    tokens: tokensPerMinute === undefined ? Number.POSITIVE_INFINITY : partOf(tokensPerMinute, gateways),
  }
}

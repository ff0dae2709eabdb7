import type { Means, SpendCap } from '#contract'
import type { Queryable } from '#platform/postgres'
import { walletOf } from '../bucket/model.ts'
import { reservationOf } from '../definitions/model.ts'
import type { Definition } from '../definitions/model.ts'
import { definitionsAfter } from '../definitions/store.ts'
import { sharesAfter } from '../shares/store.ts'
import { tokenBucketsInOrder } from './store.ts'

/** What gateways are told of how requests are paid for. */
export interface Funding {
  /** By tenant, in the order in which they are used up. Who has only an own wallet is not in it. */
  readonly means: ReadonlyMap<string, readonly Means[]>
  /** By what they cap: `tenant/<id>`, `project/<tenant>/<project>`, `key/<id>`. */
  readonly caps: ReadonlyMap<string, readonly SpendCap[]>
}

/** A gateway may be told a little before a share or a reservation begins, so that it is not late. */
const EARLY_MS = 60_000

export async function funding(db: Queryable, nowMs: number): Promise<Funding> {
  const definitions = (await definitionsAfter(db, nowMs)).filter(({ validFromMs }) => validFromMs <= nowMs + EARLY_MS)
  const own = new Map<string, Means[]>()
  const add = (tenant: string, means: Means): void => {
    own.set(tenant, [...(own.get(tenant) ?? []), means])
  }
  for (const means of reservations(definitions)) add(means.tenant, means.means)
  for (const { id, tenant, table } of await tokenBucketsInOrder(db, nowMs))
    add(tenant, { kind: 'tokens', id, bucket: id, table })
  const shares = (await sharesAfter(db, nowMs)).filter(({ sinceMs }) => sinceMs <= nowMs + EARLY_MS)
  const tenants = new Set([...own.keys(), ...shares.map(({ member }) => member)])
  const means = new Map<string, readonly Means[]>()
  for (const tenant of tenants) {
    const owners = shares.filter(({ member }) => member === tenant).map(({ owner }) => owner)
    const shared = [...new Set(owners)].flatMap((owner) => [...(own.get(owner) ?? []), walletMeans(owner)])
    means.set(tenant, [...(own.get(tenant) ?? []), walletMeans(tenant), ...shared])
  }
  return { means, caps: capsOf(definitions) }
}

function walletMeans(payer: string): Means {
  return { kind: 'wallet', id: walletOf(payer), bucket: walletOf(payer), payer }
}

/** One means for all dimensions of a reservation. */
function reservations(definitions: readonly Definition[]): { tenant: string; means: Means }[] {
  const groups = Map.groupBy(
    definitions.filter(({ terms }) => terms !== undefined),
    ({ id }) => reservationOf(id),
  )
  return [...groups].flatMap(([id, dimensions]) => {
    const [first] = dimensions
    if (!first?.terms) return []
    const { services, window, overflow } = first.terms
    const ends = dimensions.map(({ validToMs }) => validToMs ?? Number.MAX_SAFE_INTEGER)
    const means: Means = {
      kind: 'throughput',
      id,
      services,
      period: first.period,
      validFromMs: Math.max(...dimensions.map(({ validFromMs }) => validFromMs)),
      validToMs: Math.min(...ends),
      window,
      dimensions: dimensions.map((dimension) => ({ bucket: dimension.id, unit: dimension.unit })),
      overflow,
    }
    return [{ tenant: first.tenant, means }]
  })
}

/** `cap:key/acme-1/day` caps the key `acme-1`. */
function capsOf(definitions: readonly Definition[]): Map<string, SpendCap[]> {
  const caps = new Map<string, SpendCap[]>()
  for (const { id, kind, period, amount } of definitions) {
    const [, whose, scope] = /^cap:((tenant|project|key)\/.+)\/(?:day|month)$/.exec(id) ?? []
    if (kind !== 'cap' || period === 'minute' || whose === undefined) continue
    if (scope !== 'tenant' && scope !== 'project' && scope !== 'key') continue
    caps.set(whose, [...(caps.get(whose) ?? []), { id, scope, bucket: id, period, limitPico: `${amount}` }])
  }
  return caps
}

import type { Context, Hono } from 'hono'
import type { CapView, ConversionTable, CorrectionView, LotView, MeansReply, ReservationView } from '#contract'
import type { Catalogue } from '#catalogue'
import type { Charging, LotRow, Standing } from '#charging'
import type { Caller } from './control-caller.ts'
import { checked } from './control-problems.ts'
import { RequestsQuery, TenantQuery } from './control-requests.ts'

interface MeansRoutes {
  readonly charging: Charging
  readonly catalogue: Catalogue
  readonly caller: (context: Context) => Promise<Caller>
  readonly scope: (who: Caller, tenant: string | undefined) => string | undefined
  readonly oneTenant: (who: Caller, tenant: string | undefined) => Promise<string>
}

const MOST_LOTS = 500

/** What requests are paid with and what caps them, and what tokens weigh in the units that are sold. */
export function addMeans(api: Hono, { charging, catalogue, caller, scope, oneTenant }: MeansRoutes): void {
  api.get('/means', async (context) => {
    const who = await caller(context)
    const tenant = await oneTenant(who, checked(TenantQuery, context.req.query()).tenant)
    const [lots, standings, shares] = await Promise.all([
      charging.lots({ tenant, limit: MOST_LOTS }),
      charging.standings({ tenant }),
      charging.shares({ tenant }),
    ])
    return context.json({
      tenant,
      lots: lots.map(lotView),
      caps: standings.flatMap(capView),
      reservations: standings.flatMap(reservationView),
      sharesWith: shares.filter(({ owner }) => owner === tenant).map(({ member }) => member),
      sharesOf: shares.filter(({ member }) => member === tenant).map(({ owner }) => owner),
    } satisfies MeansReply)
  })
  api.get('/corrections', async (context) => {
    const who = await caller(context)
    const { tenant, limit } = checked(RequestsQuery, context.req.query())
    const rows = await charging.corrections({ tenant: await oneTenant(who, tenant), limit })
    return context.json(
      rows.map(({ usageId, version, kind, sellPico, taxPico, sellSheet, reason, by, madeAtMs }): CorrectionView => ({
        ...{ usage: usageId, version, kind, sellSheet, reason, madeAtMs },
        sellPico: `${sellPico}`,
        taxPico: `${taxPico}`,
        by: who.role === 'operator' ? by : null,
      })),
    )
  })
  api.get('/tables', async (context) => {
    const who = await caller(context)
    const tenant = scope(who, checked(TenantQuery, context.req.query()).tenant)
    return context.json((await catalogue.tables(tenant)) satisfies readonly ConversionTable[])
  })
}

function lotView(lot: LotRow): LotView {
  const { id, source, reference, state, priority, validFromMs, expiresAtMs, createdAtMs } = lot
  return {
    ...{ id, source, reference, state, priority, validFromMs, expiresAtMs, createdAtMs },
    unit: lot.bucket.startsWith('wallet:') ? 'CNY' : lot.bucket.slice(lot.bucket.indexOf('/') + 1),
    granted: `${lot.granted}`,
    remaining: `${lot.remaining}`,
  }
}

function refilled({ definition, period, used, held }: Standing) {
  return {
    id: definition.id,
    unit: definition.unit,
    period: definition.period,
    amount: `${definition.amount}`,
    used: `${used}`,
    held: `${held}`,
    fromMs: period.fromMs,
    toMs: period.toMs,
  }
}

/** `cap:project/acme/research/month` caps the project `research`. */
function capView(standing: Standing): CapView[] {
  const [, scope, subject] =
    /^cap:(tenant|project|key)\/(?:.+\/)?([^/]+)\/(?:day|month)$/.exec(standing.definition.id) ?? []
  if (subject === undefined || (scope !== 'tenant' && scope !== 'project' && scope !== 'key')) return []
  return [{ ...refilled(standing), scope, subject }]
}

function reservationView(standing: Standing): ReservationView[] {
  const { id, terms, validFromMs, validToMs } = standing.definition
  if (!terms) return []
  const { services, window, overflow } = terms
  const slash = id.lastIndexOf('/')
  return [
    {
      ...refilled(standing),
      ...{ services, window, overflow, validFromMs, validToMs },
      reservation: slash < 0 ? id : id.slice(0, slash),
    },
  ]
}

import { Hono } from 'hono'
import * as z from 'zod'
import type { Catalogue } from '#catalogue'
import { chargingInternalRoutes } from '#charging'
import type { Charging } from '#charging'
import { GATEWAY_PROCESS, GatewayReport, LIVE_GATEWAYS } from '#contract'
import type { Noc } from '#noc'
import type { Clock } from '#platform/clock'
import { equalSecrets } from '#platform/crypto'
import { readBody } from './control-body.ts'
import { bearerOf } from './control-caller.ts'
import { createLiveGateways } from './control-gateways.ts'
import { checked, notSignedIn, unknownPath } from './control-problems.ts'

export interface InternalDeps {
  readonly catalogue: Catalogue
  readonly charging: Charging
  readonly noc: Noc
  readonly clock: Clock
  readonly internalToken: string
  /** Fires when the program stops, so that waiting gateways do not keep it. */
  readonly stopping: AbortSignal
}

/** Below the usual 30 s after which something between the two would give up. */
const LONG_POLL_MS = 25_000

/** Some hundred bytes per service, class and supplier. */
const REPORT_BYTES = 16 * 1024 * 1024

const SnapshotQuery = z.object({ after: z.coerce.number().int().min(0).default(0) })

/** What gateways say to the control plane. One token opens all of it: they are our own processes. */
export function createInternal({ catalogue, charging, noc, clock, internalToken, stopping }: InternalDeps): Hono {
  const internal = new Hono()
  const gateways = createLiveGateways()
  internal.use(async (context, next) => {
    if (!equalSecrets(bearerOf(context) ?? '', internalToken)) throw notSignedIn({})
    await next()
    context.header('cache-control', 'no-store')
  })

  internal.get('/snapshot', async (context) => {
    const { after } = checked(SnapshotQuery, context.req.query())
    const process = context.req.header(GATEWAY_PROCESS)
    if (process !== undefined) gateways.seen(process.slice(0, 128), clock.nowMs())
    const signal = AbortSignal.any([stopping, context.req.raw.signal])
    const snapshot = await catalogue.waitForSnapshot(after, LONG_POLL_MS, signal)
    context.header(LIVE_GATEWAYS, String(gateways.count(clock.nowMs())))
    return snapshot ? context.json(snapshot) : context.body(null, 204)
  })
  internal.post('/report', async (context) => {
    noc.report(await readBody(context, GatewayReport, REPORT_BYTES))
    return context.body(null, 204)
  })
  internal.route('/', chargingInternalRoutes(charging))

  internal.all('*', (context) => {
    throw unknownPath({ path: context.req.path })
  })
  return internal
}

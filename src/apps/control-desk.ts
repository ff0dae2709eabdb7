import type { Context, Hono } from 'hono'
import { DecisionRequest } from '#contract'
import type { Charging } from '#charging'
import { readBody } from './control-body.ts'
import type { Caller } from './control-caller.ts'
import { checked } from './control-problems.ts'
import { DeskQuery } from './control-requests.ts'

const DECISION_BYTES = 16 * 1024

/** What only an operator can decide, because no program knows enough: slices that nobody gives back, and records set aside. */
export function addDesk(
  api: Hono,
  { charging, operator }: { charging: Charging; operator: (context: Context) => Promise<Caller> },
): void {
  api.get('/slices', async (context) => {
    await operator(context)
    return context.json(await charging.slices(checked(DeskQuery, context.req.query())))
  })
  api.post('/slices/:id/release', async (context) => {
    const { email: by } = await operator(context)
    const { reason } = await readBody(context, DecisionRequest, DECISION_BYTES)
    return context.json(await charging.releaseSlice({ slice: context.req.param('id'), by, reason }))
  })
  api.get('/quarantine', async (context) => {
    await operator(context)
    return context.json(await charging.quarantine(checked(DeskQuery, context.req.query())))
  })
  api.post('/quarantine/:id/retry', async (context) => {
    const { email: by } = await operator(context)
    return context.json(await charging.retry({ id: context.req.param('id'), by }))
  })
  api.post('/quarantine/:id/dismiss', async (context) => {
    const { email: by } = await operator(context)
    const { reason } = await readBody(context, DecisionRequest, DECISION_BYTES)
    return context.json(await charging.dismiss({ id: context.req.param('id'), by, reason }))
  })
}

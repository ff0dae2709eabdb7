import { DrainPreview, DrainRequest, DrainView, NocReply, UndrainRequest } from '#contract'
import type { Operation } from './control-openapi.ts'

/** What operators watch and do about suppliers while requests run. */
export const NOC_OPERATIONS: readonly Operation[] = [
  {
    method: 'get',
    path: '/noc',
    summary:
      'Demand, queues, service levels, burn rates, suppliers and their breakers, as gateways reported them within ten seconds',
    audience: 'operator',
    reply: NocReply,
  },
  {
    method: 'get',
    path: '/suppliers/{id}/drain',
    summary: "Where a supplier's traffic of the last five minutes would go without it",
    audience: 'operator',
    reply: DrainPreview,
  },
  {
    method: 'post',
    path: '/suppliers/{id}/drain',
    summary: 'Take a supplier out of service: what runs there ends, nothing new begins',
    audience: 'operator',
    body: DrainRequest,
    reply: DrainView,
  },
  {
    method: 'post',
    path: '/suppliers/{id}/undrain',
    summary: 'Put a drained supplier back into service',
    audience: 'operator',
    body: UndrainRequest,
    reply: DrainView,
  },
]

import * as z from 'zod'
import { ConversionTable, CorrectionView, MeansReply } from '#contract'
import type { Operation } from './control-openapi.ts'
import { RequestsQuery, TenantQuery } from './control-requests.ts'

/** What requests are paid with. */
export const MEANS_OPERATIONS: readonly Operation[] = [
  {
    method: 'get',
    path: '/means',
    summary: 'Lots, spend caps, reservations and shares of a tenant',
    audience: 'signed in',
    query: TenantQuery,
    reply: MeansReply,
  },
  {
    method: 'get',
    path: '/corrections',
    summary: 'Requests of a tenant that were rated again or given back',
    audience: 'signed in',
    query: RequestsQuery,
    reply: z.array(CorrectionView),
  },
  {
    method: 'get',
    path: '/tables',
    summary: 'What tokens weigh in the units that are sold',
    audience: 'signed in',
    query: TenantQuery,
    reply: z.array(ConversionTable),
  },
]

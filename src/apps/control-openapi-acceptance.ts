import * as z from 'zod'
import { AcceptanceQuery, AcceptanceReply, AcceptanceView, AcceptancesQuery, SignedReportView } from '#contract'
import type { Operation } from './control-openapi.ts'

/** Acceptance of ordered capacity. */
export const ACCEPTANCE_OPERATIONS: readonly Operation[] = [
  {
    method: 'post',
    path: '/quality/acceptances',
    summary: 'Run conformance, identity and load for real; the order becomes capacity if all of it passes',
    audience: 'operator',
    query: AcceptanceQuery,
    reply: AcceptanceReply,
  },
  {
    method: 'get',
    path: '/quality/acceptances',
    summary: 'Acceptance reports; a supplier sees its own',
    audience: 'signed in',
    query: AcceptancesQuery,
    reply: z.array(AcceptanceView),
  },
  {
    method: 'get',
    path: '/quality/acceptances/{id}',
    summary: 'A report as it was signed',
    audience: 'signed in',
    reply: SignedReportView,
  },
  {
    method: 'get',
    path: '/quality/acceptances/{id}/html',
    summary: 'The same as a page with plots',
    audience: 'signed in',
    file: 'text/html',
  },
]

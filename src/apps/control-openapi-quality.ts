import * as z from 'zod'
import {
  AuditSettingsRequest,
  AuditView,
  CaseReply,
  CaseView,
  DecideCaseRequest,
  ReasonRequest,
  SupplierQuery,
} from '#contract'
import type { Operation } from './control-openapi.ts'

/** Quality of suppliers and services. */
export const QUALITY_OPERATIONS: readonly Operation[] = [
  {
    method: 'get',
    path: '/quality/audits',
    summary: "Where the tests of suppliers' token counts are; a supplier sees its own",
    audience: 'signed in',
    query: SupplierQuery,
    reply: z.array(AuditView),
  },
  {
    method: 'post',
    path: '/quality/audit-settings',
    summary: "Decide what counts as honest for a supplier's model; its tests begin anew",
    audience: 'operator',
    body: AuditSettingsRequest,
    reply: z.array(AuditView),
  },
  {
    method: 'get',
    path: '/quality/cases',
    summary: 'What the tests flagged, and what became of it; a supplier sees its own',
    audience: 'signed in',
    query: SupplierQuery,
    reply: z.array(CaseView),
  },
  {
    method: 'get',
    path: '/quality/cases/{id}',
    summary: 'A case and who decided what about it',
    audience: 'signed in',
    reply: CaseReply,
  },
  {
    method: 'post',
    path: '/quality/cases/{id}/decide',
    summary: 'Dispute, uphold, dismiss or close a case; who disputed it cannot uphold it',
    audience: 'operator',
    body: DecideCaseRequest,
    reply: CaseView,
  },
  {
    method: 'post',
    path: '/quality/cases/{id}/answer',
    summary: 'Put on file what the supplier says to a case',
    audience: 'signed in',
    body: ReasonRequest,
    reply: CaseView,
  },
  {
    method: 'get',
    path: '/quality/cases/{id}/evidence',
    summary: 'The evidence of a case, request by request, from which the test can be computed again',
    audience: 'signed in',
    file: 'text/csv',
  },
]

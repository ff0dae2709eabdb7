import {
  RefundUsageReply,
  RefundUsageRequest,
  RerateReply,
  RerateRequest,
  TransferReply,
  TransferRequest,
} from '#contract'
import type { Operation } from './control-openapi.ts'

/** What changes money that is booked already. */
export const CORRECTION_OPERATIONS: readonly Operation[] = [
  {
    method: 'post',
    path: '/corrections/rerate',
    summary: 'Rate requests by the sheet that should have been used, or tell what that would change',
    audience: 'operator',
    body: RerateRequest,
    reply: RerateReply,
  },
  {
    method: 'post',
    path: '/corrections/refund',
    summary: 'Give one request back, its price and its tokens',
    audience: 'operator',
    body: RefundUsageRequest,
    reply: RefundUsageReply,
  },
  {
    method: 'post',
    path: '/transfers',
    summary: 'Move paid money between wallets; a tenant to those it shares its wallet with',
    audience: 'signed in',
    body: TransferRequest,
    reply: TransferReply,
  },
]

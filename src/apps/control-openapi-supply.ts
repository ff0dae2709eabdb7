import * as z from 'zod'
import {
  AgreementRequest,
  AgreementView,
  ApplyRequest,
  BidRequest,
  CallOffRequest,
  CallOffView,
  DeliveryRequest,
  EvaluationRequest,
  ObjectionDecision,
  ObjectionRequest,
  PackageView,
  ProjectView,
  ReasonRequest,
  SharesRequest,
  TenderSupplier,
} from '#contract'
import type { Operation } from './control-openapi.ts'
import { SupplyQuery } from './control-requests.ts'

const AT = '/supply/projects/{project}/packages/{package}'

const read = (path: string, summary: string, reply: z.ZodType, query?: z.ZodObject): Operation => ({
  ...{ method: 'get', path, summary, audience: 'operator', reply },
  ...(query && { query }),
})
const act = (path: string, summary: string, body: z.ZodType, reply: z.ZodType, status: 200 | 201 = 200): Operation => ({
  ...{ method: 'post', path, summary, audience: 'operator', body, reply, status },
})
const step = (path: string, summary: string, reply: z.ZodType) => act(path, summary, ReasonRequest, reply)

/** Procurement. Agreements and call-offs are also open to a supplier's people, for what is their supplier's. */
export const SUPPLY_OPERATIONS: readonly Operation[] = [
  read('/supply/suppliers', 'Suppliers as parties: names, credit code, type', z.array(TenderSupplier)),
  read('/supply/projects', 'Procurement projects', z.array(ProjectView)),
  read('/supply/projects/{project}', 'A project with its packages', ProjectView),
  act(
    '/supply/projects',
    'Announce a project from its file; repeating it changes nothing',
    ApplyRequest,
    ProjectView,
    201,
  ),
  read(AT, 'A package with bids, shares, objections and history', PackageView),
  step(`${AT}/open`, 'Bidding begins', PackageView),
  act(`${AT}/bids`, 'Record a bid', BidRequest, PackageView, 201),
  act(`${AT}/evaluation`, 'Score every bid', EvaluationRequest, PackageView),
  act(
    `${AT}/candidates`,
    'Publish candidates with shares that sum to 100 %; objections may be raised',
    SharesRequest,
    PackageView,
  ),
  act(`${AT}/objections`, 'Record an objection', ObjectionRequest, PackageView, 201),
  act(`${AT}/objections/{seq}`, 'Decide an objection', ObjectionDecision, PackageView),
  step(`${AT}/award`, 'Award, by another person than who published', PackageView),
  read('/supply/agreements', 'Framework agreements; a supplier sees its own', z.array(AgreementView), SupplyQuery),
  act('/supply/agreements', 'Draw up a framework agreement for a winner', AgreementRequest, AgreementView, 201),
  ...(['submit', 'sign', 'suspend', 'resume', 'terminate'] as const).map((name) =>
    step(`/supply/agreements/{id}/${name}`, `${name} an agreement`, AgreementView),
  ),
  read('/supply/call-offs', 'Call-off orders; a supplier sees its own', z.array(CallOffView), SupplyQuery),
  act('/supply/call-offs', 'Propose an order; it is divided by the shares', CallOffRequest, z.array(CallOffView), 201),
  step(
    '/supply/call-offs/{id}/issue',
    'Place a proposed batch, by another person than who proposed it',
    z.array(CallOffView),
  ),
  step('/supply/call-offs/{id}/acknowledge', 'The supplier has seen the order', CallOffView),
  step('/supply/call-offs/{id}/start-delivery', 'The supplier begins to deliver', CallOffView),
  act('/supply/call-offs/{id}/deliveries', 'Units were delivered', DeliveryRequest, CallOffView, 201),
  step('/supply/call-offs/{id}/reject', 'What was delivered is not what was ordered', CallOffView),
  step('/supply/call-offs/{id}/stop-clock', 'Stop the delivery clock: the buyer is the cause', CallOffView),
  {
    method: 'post',
    path: '/supply/call-offs/{id}/resume-clock',
    summary: 'The clock goes on',
    audience: 'operator',
    reply: CallOffView,
  },
  step('/supply/call-offs/{id}/revoke', 'Revoke an acceptance; gateways stop at once', CallOffView),
  step('/supply/call-offs/{id}/terminate', 'Give up an order that is not in service', CallOffView),
]

import * as z from 'zod'
import {
  ApplyReply,
  ApplyRequest,
  BalanceView,
  CreateKeyRequest,
  DecisionRequest,
  ExplainReply,
  InfoReply,
  KeyView,
  LivePoint,
  NewKey,
  OfferView,
  OrderView,
  PlaygroundKeyReply,
  PostingView,
  QuarantineView,
  QuoteView,
  RequestRow,
  ServiceView,
  SessionReply,
  SignInRequest,
  SliceView,
  SubscriptionView,
  SupplierView,
  TenantView,
  TopupRequest,
  UsageRow,
  VerifyReply,
} from '#contract'
import { ACCEPTANCE_OPERATIONS } from './control-openapi-acceptance.ts'
import { BILLING_OPERATIONS } from './control-openapi-billing.ts'
import { CORRECTION_OPERATIONS } from './control-openapi-corrections.ts'
import { MEANS_OPERATIONS } from './control-openapi-means.ts'
import { NOC_OPERATIONS } from './control-openapi-noc.ts'
import { ORDERING_OPERATIONS } from './control-openapi-ordering.ts'
import { QUALITY_OPERATIONS } from './control-openapi-quality.ts'
import { SLA_OPERATIONS } from './control-openapi-sla.ts'
import { SUPPLY_OPERATIONS } from './control-openapi-supply.ts'
import { SETTLEMENT_OPERATIONS } from './control-openapi-settlement.ts'
import {
  CreateAccountRequest,
  DeskQuery,
  LedgerQuery,
  LiveQuery,
  NewAccount,
  PlaygroundRequest,
  RequestsQuery,
  TenantQuery,
  UsageQuery,
} from './control-requests.ts'

export interface Operation {
  readonly method: 'get' | 'post' | 'delete'
  readonly path: string
  readonly summary: string
  readonly audience: 'anyone' | 'signed in' | 'operator'
  readonly query?: z.ZodObject
  readonly body?: z.ZodType
  /** The body is a file. */
  readonly upload?: boolean
  readonly reply?: z.ZodType
  /** Media type of a reply that is a file. */
  readonly file?: string
  readonly status?: 200 | 201 | 204
}

const OPERATIONS: readonly Operation[] = [
  { method: 'get', path: '/session', summary: 'Who is signed in', audience: 'signed in', reply: SessionReply },
  {
    method: 'post',
    path: '/session',
    summary: 'Sign in',
    audience: 'anyone',
    body: SignInRequest,
    reply: SessionReply,
  },
  { method: 'delete', path: '/session', summary: 'Sign out', audience: 'anyone', status: 204 },
  {
    method: 'get',
    path: '/info',
    summary: 'Versions and the address of the gateway',
    audience: 'signed in',
    reply: InfoReply,
  },
  {
    method: 'post',
    path: '/apply',
    summary: 'Put a factory.yaml in force, all or nothing',
    audience: 'operator',
    body: ApplyRequest,
    reply: ApplyReply,
  },
  { method: 'get', path: '/suppliers', summary: 'Suppliers', audience: 'operator', reply: z.array(SupplierView) },
  {
    method: 'get',
    path: '/services',
    summary: 'Services and their prices now',
    audience: 'signed in',
    query: TenantQuery,
    reply: z.array(ServiceView),
  },
  {
    method: 'get',
    path: '/tenants',
    summary: 'Tenants and their balances',
    audience: 'signed in',
    query: TenantQuery,
    reply: z.array(TenantView),
  },
  { method: 'get', path: '/keys', summary: 'Keys', audience: 'signed in', query: TenantQuery, reply: z.array(KeyView) },
  {
    method: 'post',
    path: '/keys',
    summary: 'Make a key; its text is told once',
    audience: 'signed in',
    body: CreateKeyRequest,
    reply: NewKey,
    status: 201,
  },
  {
    method: 'post',
    path: '/keys/{id}/revoke',
    summary: 'Revoke a key for ever',
    audience: 'signed in',
    reply: KeyView,
  },
  {
    method: 'post',
    path: '/users',
    summary: 'Make an account; its password is told once',
    audience: 'operator',
    body: CreateAccountRequest,
    reply: NewAccount,
    status: 201,
  },
  {
    method: 'post',
    path: '/topups',
    summary: 'Book a payment, once per reference',
    audience: 'operator',
    body: TopupRequest,
    reply: BalanceView,
  },
  {
    method: 'get',
    path: '/balance',
    summary: "A tenant's balance",
    audience: 'signed in',
    query: TenantQuery,
    reply: BalanceView,
  },
  {
    method: 'get',
    path: '/ledger',
    summary: 'Postings, newest first',
    audience: 'signed in',
    query: LedgerQuery,
    reply: z.array(PostingView),
  },
  {
    method: 'get',
    path: '/usage',
    summary: 'Requests, tokens and money by group',
    audience: 'signed in',
    query: UsageQuery,
    reply: z.array(UsageRow),
  },
  {
    method: 'get',
    path: '/usage/live',
    summary: 'One point per minute, oldest first',
    audience: 'signed in',
    query: LiveQuery,
    reply: z.array(LivePoint),
  },
  {
    method: 'get',
    path: '/requests',
    summary: 'Recent requests, newest first',
    audience: 'signed in',
    query: RequestsQuery,
    reply: z.array(RequestRow),
  },
  {
    method: 'get',
    path: '/requests/{id}',
    summary: 'Everything known about one request',
    audience: 'signed in',
    reply: ExplainReply,
  },
  ...ORDERING_OPERATIONS,
  ...QUALITY_OPERATIONS,
  ...SLA_OPERATIONS,
  ...ACCEPTANCE_OPERATIONS,
  ...SUPPLY_OPERATIONS,
  ...MEANS_OPERATIONS,
  {
    method: 'get',
    path: '/slices',
    summary: 'What gateways hold of wallets, oldest first',
    audience: 'operator',
    query: DeskQuery,
    reply: z.array(SliceView),
  },
  {
    method: 'post',
    path: '/slices/{id}/release',
    summary: 'Give back a slice that its gateway lost',
    audience: 'operator',
    body: DecisionRequest,
    reply: SliceView,
  },
  {
    method: 'get',
    path: '/quarantine',
    summary: 'Usage records that break an invariant, oldest first',
    audience: 'operator',
    query: DeskQuery,
    reply: z.array(QuarantineView),
  },
  {
    method: 'post',
    path: '/quarantine/{id}/retry',
    summary: 'Deliver a record in quarantine again',
    audience: 'operator',
    reply: QuarantineView,
  },
  {
    method: 'post',
    path: '/quarantine/{id}/dismiss',
    summary: 'End a record in quarantine unposted',
    audience: 'operator',
    body: DecisionRequest,
    reply: QuarantineView,
  },
  ...BILLING_OPERATIONS,
  ...CORRECTION_OPERATIONS,
  ...NOC_OPERATIONS,
  ...SETTLEMENT_OPERATIONS,
  { method: 'post', path: '/verify', summary: 'Prove the books', audience: 'operator', reply: VerifyReply },
  {
    method: 'post',
    path: '/playground/key',
    summary: 'A key for fifteen minutes',
    audience: 'signed in',
    body: PlaygroundRequest,
    reply: PlaygroundKeyReply,
    status: 201,
  },
]

const PROBLEM = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail', 'instance', 'code', 'retryable', 'params'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    instance: { type: 'string' },
    code: { type: 'string' },
    retryable: { type: 'boolean' },
    params: { type: 'object' },
  },
}

/** OpenAPI 3.1 of `/api/v1`, made from the schemas that check every request. */
export function consoleOpenApi(): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const operation of OPERATIONS) (paths[operation.path] ??= {})[operation.method] = describe(operation)
  return {
    openapi: '3.1.0',
    info: {
      title: 'Token Factory console API',
      version: '1',
      description:
        'Amounts are decimal strings of whole pico-yuan (10⁻¹² CNY), times are milliseconds since 1970. ' +
        "A tenant's user sees the own tenant only, and neither suppliers nor what they cost.",
    },
    servers: [{ url: '/api/v1' }],
    paths,
    components: {
      schemas: { Problem: PROBLEM, ...named() },
      securitySchemes: {
        adminToken: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: 'tokenfactory_session' },
      },
    },
  }
}

function describe({ path, summary, audience, query, body, upload, reply, file, status = 200 }: Operation): object {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  const inQuery = Object.entries(query?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    schema: schemaOf(schema as z.ZodType, 'input'),
  }))
  const content = (schema: z.ZodType, io: 'input' | 'output') => ({
    'application/json': { schema: schemaOf(schema, io) },
  })
  return {
    summary,
    ...(audience === 'anyone'
      ? { security: [] }
      : {
          security:
            audience === 'operator' ? [{ adminToken: [] }, { session: [] }] : [{ session: [] }, { adminToken: [] }],
        }),
    ...(audience === 'operator' ? { description: 'For operators only.' } : {}),
    parameters: [...inPath, ...inQuery],
    ...(body ? { requestBody: { required: true, content: content(body, 'input') } } : {}),
    ...(upload ? { requestBody: { required: true, content: { 'application/octet-stream': {} } } } : {}),
    responses: {
      [status]: {
        description: summary,
        ...(reply ? { content: content(reply, 'output') } : {}),
        ...(file === undefined ? {} : { content: { [file]: { schema: { type: 'string', format: 'binary' } } } }),
      },
      default: {
        description: 'RFC 9457 problem',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  }
}

/** Answers of many operations are described once. */
const NAMED: ReadonlyMap<z.ZodType, string> = new Map<z.ZodType, string>([
  [OfferView, 'Offer'],
  [QuoteView, 'Quote'],
  [OrderView, 'Order'],
  [SubscriptionView, 'Subscription'],
])

function named(): Record<string, object> {
  return Object.fromEntries([...NAMED].map(([schema, name]) => [name, describedBy(schema, 'output')]))
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): object {
  const name = NAMED.get(schema)
  if (name !== undefined) return { $ref: `#/components/schemas/${name}` }
  const item = schema instanceof z.ZodArray ? NAMED.get(schema.element as z.ZodType) : undefined
  if (item !== undefined) return { type: 'array', items: { $ref: `#/components/schemas/${item}` } }
  return describedBy(schema, io)
}

function describedBy(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, target: 'draft-2020-12', unrepresentable: 'any' })
  return rest
}

import * as z from 'zod'
import { EpochMs, Slug } from '#contract'

/** What may be asked of `/api/v1` besides the bodies that the contract names. */
const Limit = z.coerce.number().int().min(1).max(500).default(50)
const Instant = z.coerce.number().pipe(EpochMs).optional()

export const TenantQuery = z.object({ tenant: Slug.optional() })
export const LedgerQuery = z.object({
  tenant: Slug.optional(),
  limit: Limit,
  before: z.string().min(1).max(128).optional(),
})
export const UsageQuery = z.object({
  tenant: Slug.optional(),
  by: z.enum(['service', 'tenant', 'supplier', 'key', 'hour']).default('service'),
  fromMs: Instant,
  toMs: Instant,
})
export const LiveQuery = z.object({
  tenant: Slug.optional(),
  minutes: z.coerce.number().int().min(1).max(1440).default(60),
})
/** GET /slices and GET /quarantine. */
export const DeskQuery = z.object({ limit: Limit })
export const RequestsQuery = z.object({ tenant: Slug.optional(), limit: Limit })

/** GET /orders and GET /subscriptions: newest first, `before` is the last one of the page before. */
export const OrdersQuery = z.object({
  tenant: Slug.optional(),
  limit: Limit,
  before: z.string().min(1).max(64).optional(),
})

/** POST /users: an account for the console; without a tenant, an operator's. */
/** Neither tenant nor supplier: an operator. */
export const CreateAccountRequest = z
  .strictObject({ email: z.email().max(254), tenant: Slug.nullable(), supplier: Slug.nullable().default(null) })
  .refine(({ tenant, supplier }) => tenant === null || supplier === null, 'of a tenant or of a supplier, not of both')
export const NewAccount = z.object({ email: z.string(), password: z.string() })
export const PlaygroundRequest = z.strictObject({ tenant: Slug })
/** `batch`: the orders that were placed together. */
export const SupplyQuery = z.strictObject({
  id: z.string().max(128).optional(),
  supplier: Slug.optional(),
  package: z.string().max(128).optional(),
  agreement: z.string().max(128).optional(),
  batch: z.string().max(128).optional(),
})

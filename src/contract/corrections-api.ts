import * as z from 'zod'
import { EpochMs, PicoText, ReferenceText, RequestIdText, ServiceName, Slug } from './scalars.ts'

/** Why it was done; kept with the name of who did it, and told to the tenant. */
const Reason = z.string().trim().min(1).max(500)
const SheetId = z.string().min(1).max(128)

/** Which requests: by when they were completed, start inclusive and end exclusive. */
const UsageFilter = z
  .strictObject({
    tenant: Slug.optional(),
    service: ServiceName.optional(),
    /** The sheet that they were recorded with. */
    sheet: SheetId.optional(),
    fromMs: EpochMs,
    toMs: EpochMs,
  })
  .refine(({ fromMs, toMs }) => fromMs < toMs, 'begins before it ends')

/**
 * POST /corrections/rerate (operator): rates requests by the sheet that should have been used, once per reference. One call does up to
 * 2,000 requests of a filter; `next` of its reply is `after` of the next call.
 */
export const RerateRequest = z
  .strictObject({
    reference: ReferenceText,
    reason: Reason,
    sheet: SheetId,
    usageIds: z.array(RequestIdText).min(1).max(10_000).optional(),
    filter: UsageFilter.optional(),
    after: RequestIdText.optional(),
    /** Books nothing. */
    dryRun: z.boolean().default(false),
  })
  .refine(({ usageIds, filter }) => (usageIds === undefined) !== (filter === undefined), 'either usageIds or a filter')
  .refine(({ after, filter }) => after === undefined || filter !== undefined, '`after` goes with a filter')

/** Of a dry run: what would be. */
export const RerateReply = z.object({
  corrected: z.int(),
  /** Requests that cost what they cost, were given back, are not billed, or were corrected under this reference before. */
  unchanged: z.int(),
  /** Of a dry run, by how much the total price would change; else null. */
  changePico: PicoText.nullable(),
  /** Null: nothing is left. */
  next: RequestIdText.nullable(),
})

/** POST /corrections/refund (operator): gives one request back, its price and its tokens, once per reference. */
export const RefundUsageRequest = z.strictObject({ usageId: RequestIdText, reference: ReferenceText, reason: Reason })
export const RefundUsageReply = z.object({ corrected: z.int(), unchanged: z.int() })

/**
 * POST /transfers: moves paid money between wallets, once per paying tenant and reference. A tenant's user pays from the own wallet, to
 * a tenant that the wallet is shared with.
 */
export const TransferRequest = z.strictObject({
  from: Slug,
  to: Slug,
  amountYuan: z.string().max(32),
  reference: ReferenceText,
  memo: z.string().trim().min(1).max(200).default('transfer'),
})
export const TransferReply = z.object({
  from: Slug,
  to: Slug,
  amountPico: PicoText,
  reference: z.string(),
  /** False: it was booked before. */
  booked: z.boolean(),
})

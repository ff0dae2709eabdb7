import * as z from 'zod'
import { parseYuan } from '#kernel'
import { OfferId } from './offer.ts'
import { EpochMs, ServiceName, Slug, UnsignedPicoText } from './scalars.ts'

/** TMF622: the life of an order. */
export const OrderState = z.enum([
  'acknowledged',
  'rejected',
  'pending',
  'held',
  'inProgress',
  'cancelled',
  'completed',
  'failed',
  'partial',
  'assessingCancellation',
  'pendingCancellation',
])
export type OrderState = z.infer<typeof OrderState>

/** TMF637: the life of what was ordered. */
export const SubscriptionState = z.enum([
  'created',
  'pendingActive',
  'cancelled',
  'active',
  'pendingTerminate',
  'terminated',
  'suspended',
  'aborted',
])
export type SubscriptionState = z.infer<typeof SubscriptionState>

/** How far a tenant is behind with what it owes. `grace`: it was told, nothing else has changed. */
export const ArrearsState = z.enum(['clear', 'grace', 'restricted', 'suspended'])
export type ArrearsState = z.infer<typeof ArrearsState>

/** What the buyer chooses. Which fields an offer needs and takes depends on its kind. */
export const Configuration = z.strictObject({
  /** Packages: how many. */
  quantity: z.int().min(1).max(1_000).optional(),
  /** Throughput: tokens per minute wanted in each direction; rounded up to what is sold. */
  inputTpm: z.int().min(1).max(1_000_000_000_000).optional(),
  outputTpm: z.int().min(1).max(1_000_000_000_000).optional(),
  /** Provisioned units. */
  units: z.int().min(1).max(1_000_000).optional(),
  /** Reserved spend. */
  yuanPerMinute: z
    .string()
    .refine((text) => {
      try {
        return parseYuan(text) > 0n
      } catch {
        return false
      }
    }, 'not a positive amount in yuan such as 10 or 0.5')
    .optional(),
  /** How many days, months, hours or minutes, as the offer counts them. */
  term: z.int().min(1).max(1_000_000).optional(),
  overflow: z.enum(['next', 'reject']).optional(),
  /** Whether it renews itself; a plan does unless told otherwise, everything else does not. */
  autoRenew: z.boolean().optional(),
})
export type Configuration = z.infer<typeof Configuration>

/** What an order brings. Amounts of lots and dimensions are in millionths of the table's unit, or pico-yuan for `CNY`. */
export const Entitlement = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('lot'),
    unit: z.string(),
    source: z.enum(['package', 'gift']),
    amount: UnsignedPicoText,
    priority: z.int(),
    /** The part of the net price that is deferred until it is used. */
    netPico: UnsignedPicoText,
  }),
  z.object({
    kind: z.literal('reservation'),
    services: z.array(ServiceName),
    window: z.object({ fromMinute: z.int(), toMinute: z.int() }).nullable(),
    overflow: z.enum(['next', 'reject']),
    dimensions: z.array(z.object({ name: z.string(), unit: z.string(), amountPerMinute: UnsignedPicoText })),
  }),
  z.object({ kind: z.literal('credit'), limitPico: UnsignedPicoText }),
])
export type Entitlement = z.infer<typeof Entitlement>

const Priced = {
  /** What is paid, tax included. */
  grossPico: UnsignedPicoText,
  netPico: UnsignedPicoText,
  taxPico: UnsignedPicoText,
  taxPercent: z.int(),
  /** Null: until it is ended. The end is exclusive: 24:00 is the end of a day. */
  fromMs: EpochMs,
  toMs: EpochMs.nullable(),
  entitlements: z.array(Entitlement),
}

/**
 * A buyer's own name for an order. Names of orders that the factory or a BSS places are theirs: a buyer that took one would keep a
 * renewal from happening.
 */
const IdempotencyKey = z
  .string()
  .min(1)
  .max(128)
  .refine((key) => !/^(?:renewal|tmf622):/.test(key), 'names that begin with renewal: or tmf622: are not free')

export const QuoteRequest = z.strictObject({
  tenant: Slug.optional(),
  offer: OfferId,
  configuration: Configuration.default({}),
})

/** POST /quotes, GET /quotes/{id}: the price holds until `expiresAtMs`. */
export const QuoteView = z.object({
  id: z.string(),
  tenant: Slug,
  offer: OfferId,
  configuration: Configuration,
  ...Priced,
  createdAtMs: EpochMs,
  expiresAtMs: EpochMs,
  /** The order that was made of it. */
  order: z.string().nullable(),
})
export type QuoteView = z.infer<typeof QuoteView>

/**
 * POST /orders: from a quote, or directly. `idempotencyKey` is the buyer's own name for the order: sent again, the first answer comes
 * again and nothing happens twice.
 */
export const OrderRequest = z
  .strictObject({
    tenant: Slug.optional(),
    idempotencyKey: IdempotencyKey,
    quote: z.string().min(1).max(64).optional(),
    offer: OfferId.optional(),
    configuration: Configuration.optional(),
  })
  .refine(({ quote, offer, configuration }) => (quote === undefined ? offer !== undefined : !offer && !configuration), {
    path: ['quote'],
    message: 'name either a quote, or an offer with its configuration',
  })
export type OrderRequest = z.infer<typeof OrderRequest>

/** Each change of state, oldest first: who, when and why. */
export const Transition = z.object({
  from: z.string().nullable(),
  to: z.string(),
  atMs: EpochMs,
  by: z.string(),
  reason: z.string(),
})
export type Transition = z.infer<typeof Transition>

/** GET /orders, GET /orders/{id}. */
export const OrderView = z.object({
  id: z.string(),
  tenant: Slug,
  idempotencyKey: z.string(),
  /** TMF622's words: a new subscription, a change of one (renewal, upgrade, downgrade), its end. */
  action: z.enum(['add', 'modify', 'delete']),
  cause: z.enum(['order', 'renewal', 'change', 'cancellation']),
  offer: OfferId,
  configuration: Configuration,
  quote: z.string().nullable(),
  subscription: z.string().nullable(),
  state: OrderState,
  /** What was charged; what was given back stands in `refundPico`. */
  grossPico: UnsignedPicoText,
  netPico: UnsignedPicoText,
  taxPico: UnsignedPicoText,
  refundPico: UnsignedPicoText,
  createdAtMs: EpochMs,
  endedAtMs: EpochMs.nullable(),
  /** Why it failed or was rejected. */
  failure: z.object({ code: z.string(), detail: z.string() }).nullable(),
  transitions: z.array(Transition),
})
export type OrderView = z.infer<typeof OrderView>

export const SubscriptionTerm = z.object({
  seq: z.int(),
  fromMs: EpochMs,
  toMs: EpochMs.nullable(),
  grossPico: UnsignedPicoText,
  netPico: UnsignedPicoText,
  taxPico: UnsignedPicoText,
  refundedPico: UnsignedPicoText,
  order: z.string(),
  offer: OfferId,
  feeReference: z.string().nullable(),
})

/** GET /subscriptions, GET /subscriptions/{id}. */
export const SubscriptionView = z.object({
  id: z.string(),
  tenant: Slug,
  offer: OfferId,
  configuration: Configuration,
  state: SubscriptionState,
  startsAtMs: EpochMs,
  endsAtMs: EpochMs.nullable(),
  autoRenew: z.boolean(),
  /** What takes its place when the term ends: a downgrade waits for that. */
  next: z.object({ offer: OfferId, configuration: Configuration, order: z.string() }).nullable(),
  entitlements: z.array(Entitlement),
  members: z.array(Slug),
  /** Who was asked to share and has not answered. */
  invited: z.array(Slug),
  terms: z.array(SubscriptionTerm),
  transitions: z.array(Transition),
})
export type SubscriptionView = z.infer<typeof SubscriptionView>

/** POST /subscriptions/{id}/cancel. `when: end` lets it run out; `now` ends it and refunds what the offer refunds. */
export const CancelRequest = z.strictObject({
  idempotencyKey: IdempotencyKey,
  when: z.enum(['now', 'end']).default('now'),
  reason: z.string().trim().min(1).max(500),
  /** Answers what would be refunded, exactly, and changes nothing. */
  dryRun: z.boolean().optional(),
})

/** POST /subscriptions/{id}/change: what costs more begins at once and is prorated, what does not begins with the next term. */
export const ChangeRequest = z.strictObject({
  idempotencyKey: IdempotencyKey,
  offer: OfferId.optional(),
  configuration: Configuration.optional(),
  /** Answers what would be charged and refunded, exactly, and changes nothing. */
  dryRun: z.boolean().optional(),
})

/** POST /subscriptions/{id}/renewal */
export const RenewalRequest = z.strictObject({ autoRenew: z.boolean() })

/** POST /subscriptions/{id}/members and …/members/remove */
export const MemberRequest = z.strictObject({ tenant: Slug })

/** POST /subscriptions/{id}/members/accept and …/members/leave, by who was invited or shares; operators name it. */
export const MemberAnswer = z.strictObject({ tenant: Slug.optional() })

/** GET /invitations. */
export const InvitationView = z.object({
  subscription: z.string(),
  owner: Slug,
  offer: OfferId,
  tenant: Slug,
  invitedAtMs: EpochMs,
})
export type InvitationView = z.infer<typeof InvitationView>

/** GET /arrears (operator: all who owe; tenant: the own). */
export const ArrearsView = z.object({
  tenant: Slug,
  state: ArrearsState,
  sinceMs: EpochMs,
  causes: z.array(
    z.object({
      kind: z.enum(['invoice', 'fee']),
      reference: z.string(),
      sinceMs: EpochMs,
      clearedAtMs: EpochMs.nullable(),
    }),
  ),
  transitions: z.array(Transition),
})
export type ArrearsView = z.infer<typeof ArrearsView>

import * as z from 'zod'
import { EpochMs, RequestIdText, ServiceName, Slug, TokenCount, Tokens, UnsignedPicoText } from './scalars.ts'
import { ServiceTier } from './snapshot.ts'

/** How an attempt at one supplier ended. */
export const AttemptOutcome = z.enum([
  'served',
  'refused',
  'status_429',
  'status_5xx',
  'status_4xx',
  'connect_failed',
  'reset',
  'first_byte_timeout',
  'idle_timeout',
  'total_timeout',
  'cut',
  'garbage',
  'client_closed',
  'overrun',
  /** The other one of two that were asked for the same answer was first. */
  'lost_race',
  /** Gave its place up to a request of a higher class, before anything of its answer had come. */
  'displaced',
  /** What was to continue an answer said something else than the client had received. */
  'diverged',
])
export type AttemptOutcome = z.infer<typeof AttemptOutcome>

export const Attempt = z.object({
  supplier: Slug,
  model: z.string(),
  outcome: AttemptOutcome,
  status: z.int().nullable(),
  /** Milliseconds after the request was accepted. */
  startMs: z.number(),
  endMs: z.number(),
  /** When this supplier's first token came, by the same clock; absent: none came, or it was a whole answer. */
  firstTokenMs: z.number().optional(),
  /**
   * What this supplier is owed for, where that is not what the record's `tokens` say: an attempt that was continued elsewhere, that
   * continued another, or that lost a race. Of the last attempt it is what the record's `buyPico` pays for.
   */
  tokens: Tokens.optional(),
  /** What we owe for this attempt beside the record's `buyPico`: `tokens` by `buySheet`. The last attempt never has it. */
  buyPico: UnsignedPicoText.optional(),
  buySheet: z.string().optional(),
  /** Why it was made, where it was not the first choice's turn. */
  role: z.enum(['retry', 'hedge', 'continuation']).optional(),
})
export type Attempt = z.infer<typeof Attempt>

/** A deployment that was considered, and why it was or was not used: this is what `explain` shows. */
export const Candidate = z.object({
  supplier: Slug,
  model: z.string(),
  verdict: z.enum([
    'eligible',
    'no_credentials',
    'no_price',
    'at_capacity',
    'breaker_open',
    'draining',
    'no_lot',
    'region',
    'context',
    'feature',
    'cap_reached',
  ]),
  /** Terms of the score in pico-yuan as rounded decimals, lower is better; absent where nothing had to be weighed. */
  score: z
    .object({
      price: z.number(),
      /** What the contract's shadow price takes off. */
      commitment: z.number(),
      /** SLA debt times the probability of a miss. */
      miss: z.number(),
      missProbability: z.number(),
      network: z.number(),
      affinity: z.number(),
      total: z.number(),
    })
    .optional(),
})
export type Candidate = z.infer<typeof Candidate>

/**
 * How the request ended, which decides who pays:
 * - `completed`: the whole answer was delivered; the tenant pays, the supplier is owed.
 * - `client_closed`: the client hung up; the tenant pays for what was generated until then, the supplier is owed.
 * - `failed`: supplier or factory failed after the supplier began; the tenant pays nothing, what the supplier generated is our cost.
 * - `interrupted`: the gateway died mid-request and recovered the record from its journal; paid as `failed`.
 */
export const Ending = z.enum(['completed', 'client_closed', 'failed', 'interrupted'])
export type Ending = z.infer<typeof Ending>

/** Our own count of a text, with how it was made. Null where nothing was counted: null is not zero. */
export const Recount = z.object({
  input: TokenCount.nullable(),
  output: TokenCount.nullable(),
  method: z.string(),
})
export type Recount = z.infer<typeof Recount>

/**
 * What a request drew on beside the wallet, each inside a slice of that bucket. `amount` is at most `held`.
 *
 * - `tokens`: `covered` tokens were paid at the weights of `version`, in millionths of the table's unit.
 * - `throughput`: the same for a dimension in a table's unit; in `CNY` (`version` null, `covered` null), money of the reservation.
 * - `cap`: money that counts against a spend cap; nobody pays it.
 */
export const Draw = z.object({
  kind: z.enum(['tokens', 'throughput', 'cap']),
  bucket: z.string().max(256),
  slice: z.string().max(256),
  held: UnsignedPicoText,
  amount: UnsignedPicoText,
  /** The version of the conversion table whose weights hold; null for money. */
  version: z.string().max(256).nullable(),
  covered: Tokens.nullable(),
})
export type Draw = z.infer<typeof Draw>

/**
 * The one terminal record of a request that reached a supplier. Written to the gateway's journal before the last byte of the
 * answer leaves, shipped to charging until acknowledged, and posted exactly once on the tenant's and on the supplier's side.
 */
export const UsageRecord = z.object({
  id: RequestIdText,
  gateway: z.string().max(64),
  epoch: z.int().min(0),
  slice: z.string().nullable(),
  tenant: Slug,
  key: Slug,
  service: ServiceName,
  supplier: Slug,
  model: z.string(),
  stream: z.boolean(),
  ending: Ending,
  finishReason: z.string().max(64).nullable(),
  /** HTTP status that the client was given. */
  status: z.int(),
  acceptedAtMs: EpochMs,
  completedAtMs: EpochMs,
  /** From accepted to the first piece of a stream; null for a whole answer, which has no first token to wait for. */
  ttftMs: z.number().nullable(),
  durationMs: z.number(),
  /** What the supplier said, split into our disjoint classes. */
  reported: Tokens.nullable(),
  counted: Recount.nullable(),
  /** What is charged and owed, and whose count it is. */
  tokens: Tokens,
  basis: z.enum(['reported', 'counted', 'checkpoint', 'none']),
  /** Why the classes do not sum to the supplier's total, where they do not. */
  note: z.string().max(256).nullable(),
  holdPico: UnsignedPicoText,
  /** What the wallet pays: gross, tax included, for the tokens that no draw covered. Never above `holdPico`. */
  sellPico: UnsignedPicoText,
  taxPico: UnsignedPicoText,
  /** What is owed for the attempt that served, or was the last: its own `tokens` if it states any, else the record's. */
  buyPico: UnsignedPicoText,
  sellSheet: z.string(),
  buySheet: z.string(),
  /** Whose wallet `slice` is of; absent: the tenant's own. */
  payer: Slug.optional(),
  /** Absent: `standard`. */
  tier: ServiceTier.optional(),
  /** Absent: none. Then every token is paid in money by the wallet. */
  draws: z.array(Draw).max(32).optional(),
  candidates: z.array(Candidate),
  attempts: z.array(Attempt),
})
export type UsageRecord = z.infer<typeof UsageRecord>

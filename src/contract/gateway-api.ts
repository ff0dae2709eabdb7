import * as z from 'zod'
import { EpochMs, UnsignedPicoText } from './scalars.ts'
import { Snapshot } from './snapshot.ts'
import { UsageRecord } from './usage-record.ts'

/**
 * What a gateway and charging say to each other: HTTP with JSON on the control plane's `/internal/v1`, bearer-authenticated
 * with the installation's internal token. Every call may be repeated safely.
 */
export const GatewayId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/)

/**
 * Which journal a gateway keeps. A gateway id is a name that two installations, or one that lost its disk, may both use; only the
 * journal that recorded the use of a slice can tell what was used.
 */
export const JournalId = z.string().regex(/^[a-z0-9][a-z0-9-]{7,63}$/)

/**
 * POST /gateways/register: takes over the gateway id for this journal. Grants of older epochs are refused from then on. Slices of
 * another journal stay as they are until that journal closes them or an operator releases them.
 */
export const RegisterRequest = z.object({ gateway: GatewayId, journal: JournalId })
export const RegisterReply = z.object({ epoch: z.int().min(1) })

/**
 * What slices are granted of, by name: `wallet:<tenant>`, `tokens:<tenant>/<table>`, and for what is refilled by time
 * `<definition>@<period>`, where the period is `2026-11-25`, `2026-11`, or the number of a minute since 1970. Charging opens the
 * bucket of a period by its definition when it is first asked for.
 */
export const BucketName = z.string().regex(/^[a-z]+:[!-~]{1,200}$/)

/**
 * POST /slices/grant: escrows part of a bucket for this gateway. `seq` counts up within an epoch; repeating a seq returns the
 * slice that it made. The grant is at least `min` or refused.
 */
export const GrantRequest = z.object({
  gateway: GatewayId,
  epoch: z.int().min(1),
  seq: z.int().min(1),
  bucket: BucketName,
  /** In the bucket's unit: pico-yuan, or millionths of a conversion table's unit. */
  min: UnsignedPicoText,
  want: UnsignedPicoText,
})
export type GrantRequest = z.infer<typeof GrantRequest>

export const Slice = z.object({
  id: z.string(),
  bucket: BucketName,
  epoch: z.int(),
  amount: UnsignedPicoText,
  validUntilMs: EpochMs,
  /** A tight slice is for one request near an empty wallet: the gateway closes it as soon as that request ends. */
  tight: z.boolean(),
})
export type Slice = z.infer<typeof Slice>

export const GrantReply = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('granted'), slice: Slice }),
  /** `escrowed` is what other slices hold at the moment: some of it may come back. */
  z.object({
    outcome: z.literal('insufficient_balance'),
    available: UnsignedPicoText,
    escrowed: UnsignedPicoText,
  }),
  /** There is no such bucket and no definition of it, or its period is over or has not begun. */
  z.object({ outcome: z.literal('no_such_bucket') }),
  z.object({ outcome: z.literal('fenced') }),
])
export type GrantReply = z.infer<typeof GrantReply>

/**
 * POST /slices/close: gives the unused rest back. Refused (`missing`) until charging has ingested all `records` of the slice, and
 * with the problem `slice_of_other_journal` (409) unless `journal` is the one that the slice was granted to.
 */
export const CloseRequest = z.object({
  gateway: GatewayId,
  journal: JournalId,
  slice: z.string(),
  records: z.int().min(0),
})
export const CloseReply = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('closed') }),
  z.object({ outcome: z.literal('missing'), ingested: z.int() }),
])

/** GET /slices?gateway=…&journal=…: the open slices that charging believes this journal has, whatever their epoch. */
export const OpenSlicesReply = z.object({ slices: z.array(Slice) })

/** POST /usage: at most 500 records. Acknowledged ids are durable and posted, whether new or seen before. */
export const UsageBatch = z.object({ gateway: GatewayId, records: z.array(UsageRecord).min(1).max(500) })
export type UsageBatch = z.infer<typeof UsageBatch>
export const UsageReply = z.object({
  accepted: z.int(),
  duplicates: z.int(),
  /** Records that break an invariant (unknown slice, sum above the slice, altered duplicate): kept aside for an operator, not posted. */
  quarantined: z.array(z.object({ id: z.string(), reason: z.string() })),
})
export type UsageReply = z.infer<typeof UsageReply>

/** GET /snapshot?after=N: answers at once when a newer version exists, else waits up to 25 s and answers 204. */
export const SnapshotReply = Snapshot

/** Headers of `GET /internal/v1/snapshot`: which gateway process asks, and how many have asked within the last minute. */
export const GATEWAY_PROCESS = 'x-gateway-process'
export const LIVE_GATEWAYS = 'x-live-gateways'

import type { CloseReply, GrantReply, GrantRequest, Slice, UsageRecord, UsageReply } from '#contract'
import type { TokenCounts } from '#kernel'
import type * as z from 'zod'

/** What a request needs of one bucket, in the bucket's unit. */
export interface Part {
  readonly bucket: string
  /** The most. */
  readonly amount: bigint
  /** Anything from this on will do; `amount` for all or nothing. */
  readonly atLeast: bigint
  /** The request can do without: it is not kept waiting for what other slices might give back. */
  readonly optional: boolean
}

/**
 * An amount set aside for one request, inside a slice of a bucket. Resolve it exactly once, by `capture` or `void`;
 * resolving again does nothing.
 */
export interface Hold {
  /** For the usage record. Null for a hold of nothing, which needs no slice. */
  readonly slice: string | null
  /** For the usage record: the gateway's epoch when the hold was placed. */
  readonly epoch: number
  readonly amount: bigint
  /** Spends `spent` (at most the hold; `RangeError` above) and returns the rest to the slice. Call it with every usage record, also at 0. */
  capture(spent: bigint): void
  /** Returns everything: the request never reached a supplier, so it has no usage record. */
  void(): void
}

/** Why a part could not be held. `insufficient`: the bucket has not enough, or is none. */
export interface Refusal {
  readonly refused: 'insufficient' | 'charging_unavailable' | 'too_many_waiting'
  readonly bucket: string
  readonly needed: bigint
  readonly available: bigint
}

/** What the journal must know of a request before a supplier does, so that a crash leaves a record of what it cost us. Its draws are of nothing. */
export type RequestOpening = Pick<
  UsageRecord,
  | 'id'
  | 'slice'
  | 'epoch'
  | 'tenant'
  | 'key'
  | 'service'
  | 'supplier'
  | 'model'
  | 'stream'
  | 'acceptedAtMs'
  | 'holdPico'
  | 'sellSheet'
  | 'buySheet'
  | 'payer'
  | 'tier'
  | 'draws'
  | 'candidates'
  | 'attempts'
>

/** How far a running request has got. */
export interface Checkpoint {
  readonly atMs: number
  readonly tokens: TokenCounts
  readonly buyPico: string
}

/**
 * The gateway's side of charging: holds inside slices, the journal of requests and records, and their way to charging.
 * Nothing in it waits for charging while a slice has room.
 */
export interface Holds {
  /**
   * Sets `amount` of a bucket aside. `done` is called at once while a slice of it has room, else once charging has answered. With
   * `atLeast`, what there is will do from that on, once charging has said that there is not all of it.
   */
  place(bucket: string, amount: bigint, done: (outcome: Hold | Refusal) => void, atLeast?: bigint): void
  /**
   * Sets all parts aside or none, in the order given, which must be the same for requests that share buckets. `done` is called
   * at once while every bucket has room in a slice. The refusal is that of the first part that could not be held.
   */
  placeAll(parts: readonly Part[], done: (outcome: readonly Hold[] | Refusal) => void): void
  /** Journals a request of which something is about to reach the client; again after a failover, with the new supplier. Does not wait. */
  open(request: RequestOpening): void
  /** Journals how far an opened request has got: call it every few hundred milliseconds of a stream. Does not wait. */
  checkpoint(id: string, checkpoint: Checkpoint): void
  /**
   * Journals the terminal record and sends it to charging in the background. After `durable(null)` the last byte may leave;
   * after an error it must not. Exactly one record per request that went to a supplier; then `capture` on every hold
   * that it names.
   */
  record(record: UsageRecord, durable: (error: Error | null) => void): void
  stats(): HoldsStats
  /**
   * Stops placing, ships what is left, gives every slice back, and stops. What cannot be done within `graceMs` is done by the
   * next start: it is all in the journal, which stays open and belongs to the caller.
   */
  close(graceMs: number): Promise<void>
}

export interface HoldsStats {
  /** False until charging has confirmed this gateway's epoch after a start. */
  readonly registered: boolean
  /** Another process has taken over this gateway id: this one must stop. */
  readonly fenced: boolean
  /** Records that are durable here and not yet acknowledged by charging. */
  readonly unshippedRecords: number
  readonly quarantinedRecords: number
  readonly openSlices: number
  readonly drainingSlices: number
  readonly outstandingHolds: number
  readonly waitingRequests: number
  readonly openRequests: number
}

/** Bounds of the slice protocol. Amounts in pico-CNY; a bucket in another unit has the same most, in millionths of its unit. */
export interface HoldsLimits {
  /** A slice is asked for at this size at least, however little is spent. */
  readonly sliceMinPico: bigint
  /** No slice is asked for above this, except for one request that alone needs more. It bounds what a lost disk can lock up. */
  readonly sliceMaxPico: bigint
  /** A slice is sized to last this long at the bucket's recent rate. */
  readonly sliceMs: number
  /** A slice that no request used for this long goes back (quota holding time). */
  readonly idleMs: number
  /** How often, and how long apart, a refused grant is tried again while other slices could still come back. */
  readonly refusedRetries: number
  readonly refusedRetryMs: number
  /** Requests that may wait for a slice, per bucket. */
  readonly maxWaiting: number
  /** Records wait at most this long for others to travel with: the first while few come, the second while many do. */
  readonly shipLingerMs: number
  readonly shipBusyLingerMs: number
  /** How often slices at charging that this gateway does not know are looked for and closed. */
  readonly reconcileMs: number
  /** Live entries of the journal are rewritten when they hold back more entries than this. */
  readonly compactAfterEntries: number
}

/** What a gateway asks of charging. Each promise rejects only after its own retries; every call may be repeated safely. */
export interface ChargingClient {
  /** `journal` in this and the others: the id of the journal that knows what of a slice was used. */
  register(gateway: string, journal: string): Promise<number>
  grant(request: GrantRequest): Promise<GrantReply>
  /** `foreign`: charging granted the slice to another journal and will never take it back from this one. */
  close(
    gateway: string,
    journal: string,
    slice: string,
    records: number,
  ): Promise<z.infer<typeof CloseReply> | { readonly outcome: 'foreign' }>
  openSlices(gateway: string, journal: string): Promise<readonly Slice[]>
  /** `records` are usage records as JSON text in UTF-8, at most 500. */
  usage(gateway: string, records: readonly Buffer[]): Promise<UsageReply>
}

/** Calls `run` once after a delay and returns the means to cancel. */
export type Timer = (delayMs: number, run: () => void) => () => void

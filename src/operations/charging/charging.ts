import type {
  BalanceView,
  CloseReply,
  CloseRequest,
  ExplainReply,
  GrantReply,
  GrantRequest,
  LivePoint,
  OpenSlicesReply,
  PostingView,
  PriceSheet,
  RequestRow,
  UsageRow,
  VerifyReply,
} from '#contract'
import type * as z from 'zod'
import type { Clock } from '#platform/clock'
import type { Database, Transaction } from '#platform/postgres'
import { ingest } from './ingest/service.ts'
import type { IngestBatch, IngestReply } from './ingest/service.ts'
import { dismissQuarantined, openQuarantine } from './ingest/store.ts'
import type { QuarantinedRow } from './ingest/store.ts'
import { close, grant, openSlices, register, releaseExpired } from './slices/service.ts'
import type { ReleasedSlice } from './slices/service.ts'
import { explain, live, postings, requests, usage } from './usage/service.ts'
import type { UsageQuery } from './usage/service.ts'
import { verify } from './verify/verify.ts'
import { balance, lockForTopups, topup, topupIn, wallets } from './wallet/service.ts'
import type { Topup } from './wallet/service.ts'

/** Looks a price sheet up by its id, so that `verify` can rate every record again. */
export type SheetById = (id: string) => Promise<PriceSheet | undefined>

interface Page {
  readonly tenant?: string
  readonly limit: number
  /** Id of the last row of the page before. */
  readonly before?: string
}

/** Amounts are decimal strings of whole pico-yuan, times are milliseconds since 1970, unless a name says otherwise. */
export interface Charging {
  /** Takes over a gateway id; grants of older epochs are answered `fenced` from then on. */
  register(gateway: string): Promise<{ epoch: number }>
  /** Sets part of a wallet aside for a gateway. Repeating a number gives the same slice. Throws `grant_reused`. */
  grant(request: GrantRequest): Promise<GrantReply>
  /** Gives the rest of a slice back once all its records are here. Throws `unknown_slice`. */
  close(request: z.infer<typeof CloseRequest>): Promise<z.infer<typeof CloseReply>>
  /** The slices that are open for a gateway, of whatever epoch. */
  openSlices(gateway: string): Promise<z.infer<typeof OpenSlicesReply>>
  /** An operator's decision, never automatic: frees slices that expired at least `graceMs` ago, whatever records may be missing. */
  releaseExpired(options: { graceMs: number }): Promise<ReleasedSlice[]>
  /** Books usage records, each exactly once, in one transaction per batch. */
  ingest(batch: IngestBatch): Promise<IngestReply>
  /** Records that break an invariant and wait for an operator, oldest first. */
  quarantine(options: { limit: number }): Promise<QuarantinedRow[]>
  /** An operator has dealt with a quarantined record; it stays on file and is never posted. Returns how many were dismissed. */
  dismiss(id: string): Promise<number>
  /** Books a payment, once per reference. Throws `topup_reused`, `invalid_amount`. */
  topup(request: Topup): Promise<BalanceView>
  /** Must come before the first of several `topupIn` in one transaction, and name all their tenants; else they may deadlock with ingest. */
  lockForTopups(tx: Transaction, tenants: readonly string[]): Promise<void>
  /** The same in a caller's transaction; make it the last thing that the transaction does. */
  topupIn(tx: Transaction, request: Topup): Promise<{ booked: boolean }>
  balance(tenant: string): Promise<BalanceView>
  /** All wallets, by tenant. */
  wallets(): Promise<BalanceView[]>
  /** Newest first; with a tenant, those that touch its wallet. Unredacted: one posting may hold the usage of many tenants. */
  postings(page: Page): Promise<PostingView[]>
  /** Sums from the roll-ups, by group. `hour` groups are `2026-11-23T13:00Z`. */
  usage(query: UsageQuery): Promise<UsageRow[]>
  /** One point per minute up to now, oldest first, empty minutes included. */
  live(query: { minutes: number; tenant?: string }): Promise<LivePoint[]>
  requests(page: Page): Promise<RequestRow[]>
  /** Everything about one request, unredacted. Throws `unknown_request`. */
  explain(id: string): Promise<ExplainReply>
  /** Proves the books. With `sheetById`, every record is also rated again from its tokens. */
  verify(options?: { sheetById?: SheetById }): Promise<VerifyReply>
}

export interface ChargingDeps {
  readonly database: Database
  readonly clock: Clock
  /** How long a gateway may keep a slice before it should give it back; ten minutes unless stated. */
  readonly sliceLifetimeMs?: number
}

export function createCharging({ database, clock, sliceLifetimeMs = 600_000 }: ChargingDeps): Charging {
  const deps = { database, clock, sliceLifetimeMs }
  return {
    register: (gateway) => register(database, gateway),
    grant: (request) => grant(deps, request),
    close: (request) => close(deps, request),
    openSlices: (gateway) => openSlices(database, gateway),
    releaseExpired: (options) => releaseExpired(deps, options),
    ingest: (batch) => ingest(deps, batch),
    quarantine: ({ limit }) => openQuarantine(database, limit),
    dismiss: (id) => dismissQuarantined(database, id),
    topup: (request) => topup(deps, request),
    lockForTopups: (tx, tenants) => lockForTopups(tx, tenants),
    topupIn: (tx, request) => topupIn(tx, request, clock.nowMs()),
    balance: (tenant) => balance(database, tenant),
    wallets: () => wallets(database),
    postings: (page) => postings(database, page),
    usage: (query) => usage(deps, query),
    live: (query) => live(deps, query),
    requests: (page) => requests(database, page),
    explain: (id) => explain(database, id),
    verify: (options = {}) => verify(database, options),
  }
}

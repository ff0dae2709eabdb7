import type {
  BalanceView,
  ClassPrices,
  CloseReply,
  CloseRequest,
  ExplainReply,
  GrantReply,
  GrantRequest,
  LivePoint,
  OpenSlicesReply,
  PostingView,
  PriceSheet,
  QuarantineView,
  RegisterRequest,
  RequestRow,
  SliceView,
  UsageRecord,
  UsageRow,
  VerifyReply,
} from '#contract'
import type * as z from 'zod'
import type { Calendars } from '#kernel'
import type { Clock } from '#platform/clock'
import type { Posted, PostingInput } from '#ledger'
import { withRetries } from '#platform/postgres'
import type { Database, Queryable, Transaction } from '#platform/postgres'
import { lockAccounts, openAccount } from './bucket/accounts.ts'
import type { AccountName, AccountTerms } from './bucket/accounts.ts'
import { balance, lockWallets, topup, topupIn, wallets } from './bucket/service.ts'
import type { Topup } from './bucket/service.ts'
import { bucketsOf } from './bucket/store.ts'
import type { Bucket } from './bucket/store.ts'
import { prunePeriods } from './bucket/prune.ts'
import { postReceivable, transfer, withdraw } from './bucket/transfer.ts'
import type { Transfer, Withdrawal } from './bucket/transfer.ts'
import { previewRerate, rerate } from './corrections/rerate.ts'
import type { Rerate, RerateOutlook } from './corrections/rerate.ts'
import { refundUsage } from './corrections/service.ts'
import type { Corrected } from './corrections/service.ts'
import { newestCorrections, usageIdsAfter } from './corrections/store.ts'
import type { Correction, UsageFilter } from './corrections/store.ts'
import type { Definition } from './definitions/model.ts'
import { endDefinition, putDefinition } from './definitions/service.ts'
import { standings } from './definitions/standing.ts'
import type { Standing } from './definitions/standing.ts'
import { chargeFee, recogniseRevenue, refundFee } from './fees/service.ts'
import type { FeeRefund, FeeRequest } from './fees/service.ts'
import { funding } from './funding/service.ts'
import type { Funding } from './funding/service.ts'
import { ingestTogether } from './ingest/service.ts'
import type { IngestBatch, IngestReply } from './ingest/service.ts'
import { grantLot, revokeLot, turnLots } from './lots/service.ts'
import type { LotGrant, Revocation, Revoked } from './lots/service.ts'
import { lotsOf } from './lots/store.ts'
import type { LotRow } from './lots/store.ts'
import { dismiss, quarantine, retry } from './quarantine/service.ts'
import type { Share } from './shares/model.ts'
import { endShare, putShare } from './shares/service.ts'
import {
  close,
  grantTogether,
  listSlices,
  openSlices,
  reclaimSlices,
  register,
  releaseSlice,
} from './slices/service.ts'
import { endReservations, reserveIn, unreserveIn } from './reservations/service.ts'
import type { Reservation, ReserveOutcome } from './reservations/service.ts'
import { sharesAfter } from './shares/store.ts'
import { explain, live, postings, requests, usage } from './usage/service.ts'
import type { UsageQuery } from './usage/service.ts'
import { deliveredTokens } from './usage/store.ts'
import type { DeliveredQuery } from './usage/store.ts'
import { recordPage } from './usage/records-store.ts'
import type { RecordPage } from './usage/records-store.ts'
import { together, togetherBy } from './together.ts'
import type { OnProgress } from './verify/progress.ts'
import { verify } from './verify/verify.ts'

/** A price sheet and what it prices; a sheet's open end is closed by the one that follows it. */
export interface FiledSheet extends PriceSheet {
  readonly service: string
  readonly side: 'sell' | 'buy'
  /** Null on the side `sell`. */
  readonly supplier: string | null
  readonly model: string | null
}

/** Looks a price sheet up by its id, so that `verify` can rate every record again. */
export type SheetById = (id: string) => Promise<FiledSheet | undefined>

/** The weights of a version of a conversion table for one service, in millionths of its unit per token. */
export interface FiledWeights {
  readonly table: string
  readonly validFromMs: number
  readonly validToMs: number | null
  readonly weights: z.infer<typeof ClassPrices>
}

export type WeightsOf = (version: string, service: string) => Promise<FiledWeights | undefined>

/** What `verify` rates records by again. Without `weights`, what draws of tokens weigh is taken as stated. */
export interface RatingSources {
  readonly sheetById?: SheetById | undefined
  readonly weights?: WeightsOf | undefined
  readonly calendars?: Calendars | undefined
}

interface Page {
  readonly tenant?: string
  readonly limit: number
  /** Id of the last row of the page before. */
  readonly before?: string
}

/** Amounts are decimal strings of whole pico-yuan, times are milliseconds since 1970, unless a name says otherwise. */
export interface Charging {
  /** Takes over a gateway id for a journal; grants of older epochs are answered `fenced` from then on. */
  register(request: z.infer<typeof RegisterRequest>): Promise<{ epoch: number }>
  /** Sets part of a bucket aside for a gateway; opens the bucket of a period. Repeating a number gives the same slice. Throws `grant_reused`. */
  grant(request: GrantRequest): Promise<GrantReply>
  /** Gives the rest of a slice back once all its records are here. Throws `unknown_slice`, `slice_of_other_journal`. */
  close(request: z.infer<typeof CloseRequest>): Promise<z.infer<typeof CloseReply>>
  /** The slices that are open for a gateway's journal, of whatever epoch. */
  openSlices(request: z.infer<typeof RegisterRequest>): Promise<z.infer<typeof OpenSlicesReply>>
  /** The open slices of all gateways, oldest first. */
  slices(options: { limit: number }): Promise<SliceView[]>
  /**
   * An operator's decision, never automatic: frees a slice that expired an hour ago, whatever records may be missing. Throws
   * `unknown_slice`, `slice_in_use`.
   */
  releaseSlice(decision: { slice: string; by: string; reason: string }): Promise<SliceView>
  /** Books usage records, each exactly once, in one transaction per batch. */
  ingest(batch: IngestBatch): Promise<IngestReply>
  /** Records that break an invariant and wait for an operator, oldest first. */
  quarantine(options: { limit: number }): Promise<QuarantineView[]>
  /** Delivers a quarantined record again as its gateway would. Throws `unknown_quarantined`, `quarantine_decided` (dismissed). */
  retry(decision: { id: string; by: string }): Promise<QuarantineView>
  /**
   * An operator has dealt with a quarantined record; it stays on file and is never posted, also when it is delivered again. Throws
   * `unknown_quarantined`, `quarantine_decided` (posted meanwhile).
   */
  dismiss(decision: { id: string; by: string; reason: string }): Promise<QuarantineView>
  /** Books a payment, once per reference. Throws `topup_reused`, `invalid_amount`. */
  topup(request: Topup): Promise<BalanceView>
  /** Must come before the first of several `topupIn` in one transaction, and name all their tenants; else they may deadlock with ingest. */
  lockForTopups(tx: Transaction, tenants: readonly string[]): Promise<void>
  /** The same in a caller's transaction; make it the last thing that the transaction does. */
  topupIn(tx: Transaction, request: Topup): Promise<{ booked: boolean }>
  /**
   * Opens and locks what several of the following calls change. A transaction that makes more than one of them begins with it and
   * names all tenants, and for lots of tokens the tables; else it may deadlock with ingest.
   */
  lockAccounts(tx: Transaction, names: readonly AccountName[]): Promise<void>
  /** Opens a wallet or changes its terms. */
  openAccount(tx: Transaction, terms: AccountTerms): Promise<void>
  /** Throws `invalid_lot`, `lot_reused`. */
  grantLot(tx: Transaction, grant: LotGrant): Promise<{ lot: string; booked: boolean }>
  /** Cancels what is left of a gift or a package. Throws `unknown_lot`, `invalid_lot`. */
  revokeLot(tx: Transaction, revocation: Revocation): Promise<Revoked>
  /** Throws `insufficient_balance`, `fee_reused`, `invalid_amount`. */
  chargeFee(tx: Transaction, fee: FeeRequest): Promise<{ booked: boolean; postingId: string }>
  /** Throws `unknown_fee`, `amount_above_fee`, `fee_reused`, `invalid_amount`. */
  refundFee(tx: Transaction, refund: FeeRefund): Promise<{ booked: boolean; postingId: string }>
  /** Throws `insufficient_balance`, `transfer_reused`, `invalid_amount`, `not_shared`. */
  transfer(tx: Transaction, transfer: Transfer): Promise<{ booked: boolean }>
  /** The same in a transaction of its own. */
  transferNow(transfer: Transfer): Promise<{ booked: boolean }>
  /** Paid money that is to be paid back (2400). Throws `insufficient_balance`, `transfer_reused`, `invalid_amount`. */
  withdraw(tx: Transaction, withdrawal: Withdrawal): Promise<{ booked: boolean }>
  /** Posts an invoice, its payment or a write-off of another room, and keeps wallets in step with their receivables. */
  postReceivable(tx: Transaction, input: PostingInput): Promise<Posted>
  /** Throws `definition_reused`. */
  putDefinition(tx: Transaction, definition: Definition): Promise<'created' | 'updated' | 'unchanged'>
  /** Throws `unknown_definition`. */
  endDefinition(tx: Transaction, end: { id: string; atMs: number }): Promise<void>
  /** Throws `invalid_share`. */
  putShare(tx: Transaction, share: { owner: string; member: string; fromMs: number }): Promise<void>
  endShare(tx: Transaction, end: { owner: string; member: string; atMs: number }): Promise<void>
  /** What gateways are told of how requests are paid for. */
  funding(db: Queryable): Promise<Funding>
  /** Lots of a tenant's wallet and tokens, newest first, used-up ones included. */
  lots(query: { tenant: string; limit: number }): Promise<LotRow[]>
  /** Wallet, tokens, and the periods of caps and reservations that are not over. */
  buckets(query: { tenant: string }, db?: Queryable): Promise<Bucket[]>
  /** Spend caps and reservations that are in force or to come, with what was used of the period that runs. */
  standings(query: { tenant: string }): Promise<Standing[]>
  /** Shares that a tenant gives or has, now or later. */
  shares(query: { tenant: string }): Promise<Share[]>
  /** Job: begins and expires lots. */
  expireLots(nowMs: number): Promise<{ begun: number; expired: number }>
  /** Corrections of a tenant's requests, newest first. */
  corrections(query: { tenant: string; limit: number }): Promise<Correction[]>
  /** Requests by id, oldest first, from `after` on. */
  usageIds(query: { filter: UsageFilter; after?: string | undefined; limit: number }): Promise<readonly string[]>
  /** What `rerate` would do, with nothing booked. Throws what it throws. */
  previewRerate(request: Rerate): Promise<RerateOutlook>
  /**
   * Rates requests again by other sheets; what was booked is mirrored, never changed. Throws `cannot_price`, `unknown_request`,
   * `correction_reused`.
   */
  rerate(request: Rerate): Promise<Corrected>
  /** Gives a request back: its price, and its tokens. Throws `unknown_request`, `correction_reused`. */
  refundUsage(request: { usageId: string; by: string; reason: string; reference: string }): Promise<Corrected>
  /** Job: gives back what lost gateways hold, of wallets in the mode `available` and of periods that are over. */
  reclaimSlices(nowMs: number): Promise<{ reclaimed: number }>
  /** Job: clears away periods of caps and reservations that are over and that nobody used. */
  prunePeriods(nowMs: number): Promise<{ pruned: number }>
  /** Job: earns fees whose time passes. */
  recogniseRevenue(nowMs: number): Promise<{ fees: number }>
  /** Sets money of a wallet aside in a caller's transaction, as no gateway could, until it is given back or over. */
  reserveIn(tx: Transaction, reservation: Reservation): Promise<ReserveOutcome>
  /** Gives a reservation back; again, or after its time, it changes nothing. */
  unreserveIn(tx: Transaction, reservation: Pick<Reservation, 'number' | 'tenant'>): Promise<void>
  /** Job: gives back the reservations whose time is over. */
  endReservations(nowMs: number): Promise<{ ended: number }>
  balance(tenant: string): Promise<BalanceView>
  /** All wallets, by tenant. */
  wallets(): Promise<BalanceView[]>
  /** Newest first; with a tenant, those that touch its wallet. Unredacted: one posting may hold the usage of many tenants. */
  postings(page: Page): Promise<PostingView[]>
  /** Sums from the roll-ups, by group. `hour` groups are `2026-11-23T13:00Z`. */
  usage(query: UsageQuery): Promise<UsageRow[]>
  /** Tokens of all classes that a supplier delivered of these services, by when requests were completed, in whole minutes. */
  deliveredTokens(query: DeliveredQuery): Promise<number>
  /** One point per minute up to now, oldest first, empty minutes included. */
  live(query: { minutes: number; tenant?: string }): Promise<LivePoint[]>
  requests(page: Page): Promise<RequestRow[]>
  /** Whole usage records, oldest first, and how many there are in all. Unredacted. */
  usageRecords(page: RecordPage): Promise<{ readonly records: readonly UsageRecord[]; readonly total: number }>
  /** Everything about one request, unredacted. Throws `unknown_request`. */
  explain(id: string): Promise<ExplainReply>
  /** Proves the books. With `sheetById`, every record is also rated again from its tokens. */
  verify(options?: RatingSources, onProgress?: OnProgress): Promise<VerifyReply>
}

export interface ChargingDeps {
  readonly database: Database
  readonly clock: Clock
  /** How long a gateway may keep a slice before it should give it back; ten minutes unless stated. */
  readonly sliceLifetimeMs?: number
  /** How long a request may go on after it was accepted; an hour unless stated. */
  readonly longestRequestMs?: number
}

/** While PostgreSQL takes in one group of deliveries, the next is made ready. */
const INGEST_LANES = 2
/** Deliveries that one transaction takes: up to 500 records each. */
const MOST_DELIVERIES = 8
/** Slices of one bucket that one transaction grants. */
const MOST_GRANTS = 64

export function createCharging({
  database: plain,
  clock,
  sliceLifetimeMs = 600_000,
  longestRequestMs = 3_600_000,
}: ChargingDeps): Charging {
  const database = withRetries(plain)
  let prunedToMs = 0
  const deps = { database, clock, sliceLifetimeMs, longestRequestMs }
  return {
    register: (request) => register(database, request),
    grant: togetherBy<GrantRequest, GrantReply>(({ bucket }) => bucket, {
      lanes: 1,
      most: MOST_GRANTS,
      run: (requests) => grantTogether(deps, requests),
    }),
    close: (request) => close(deps, request),
    openSlices: (request) => openSlices(database, request),
    slices: ({ limit }) => listSlices(database, limit),
    releaseSlice: (decision) => releaseSlice(deps, decision),
    ingest: together({ lanes: INGEST_LANES, most: MOST_DELIVERIES, run: (batches) => ingestTogether(deps, batches) }),
    quarantine: ({ limit }) => quarantine(database, limit),
    retry: (decision) => retry(deps, decision),
    dismiss: (decision) => dismiss(deps, decision),
    topup: (request) => topup(deps, request),
    lockForTopups: async (tx, tenants) => {
      await lockWallets(tx, tenants)
    },
    topupIn: (tx, request) => topupIn(tx, request, clock.nowMs()),
    lockAccounts: async (tx, names) => {
      await lockAccounts(tx, names)
    },
    openAccount: (tx, terms) => openAccount(tx, terms),
    grantLot: (tx, request) => grantLot(tx, request, clock.nowMs()),
    revokeLot: (tx, request) => revokeLot(tx, request, clock.nowMs()),
    chargeFee: (tx, request) => chargeFee(tx, request, clock.nowMs()),
    refundFee: (tx, request) => refundFee(tx, request, clock.nowMs()),
    transfer: (tx, request) => transfer(tx, request, clock.nowMs()),
    transferNow: (request) => database.transaction((tx) => transfer(tx, request, clock.nowMs())),
    withdraw: (tx, request) => withdraw(tx, request, clock.nowMs()),
    postReceivable: (tx, input) => postReceivable(tx, input),
    putDefinition: (tx, definition) => putDefinition(tx, definition, clock.nowMs()),
    endDefinition: (tx, end) => endDefinition(tx, end),
    putShare: (tx, share) => putShare(tx, share),
    endShare: (tx, end) => endShare(tx, end),
    funding: (db) => funding(db, clock.nowMs()),
    lots: ({ tenant, limit }) => lotsOf(database, tenant, limit),
    buckets: ({ tenant }, db = database) => bucketsOf(db, tenant, clock.nowMs()),
    standings: ({ tenant }) => standings(database, tenant, clock.nowMs()),
    shares: async ({ tenant }) =>
      (await sharesAfter(database, clock.nowMs())).filter((share) => share.owner === tenant || share.member === tenant),
    expireLots: (nowMs) => turnLots(database, nowMs),
    corrections: ({ tenant, limit }) => newestCorrections(database, tenant, limit),
    usageIds: ({ filter, after = '', limit }) => usageIdsAfter(database, filter, { id: after, limit }),
    previewRerate: (request) => previewRerate(deps, request),
    rerate: (request) => rerate(deps, request),
    refundUsage: (request) => refundUsage(deps, request),
    reclaimSlices: (nowMs) => reclaimSlices(deps, nowMs),
    async prunePeriods(nowMs) {
      const { pruned, toMs } = await prunePeriods(database, { fromMs: prunedToMs, nowMs })
      prunedToMs = toMs
      return { pruned }
    },
    recogniseRevenue: (nowMs) => recogniseRevenue(database, nowMs),
    reserveIn: (tx, reservation) => reserveIn(tx, reservation, clock.nowMs()),
    unreserveIn: (tx, reservation) => unreserveIn(tx, reservation, clock.nowMs()),
    endReservations: (nowMs) => endReservations(database, nowMs),
    balance: (tenant) => balance(database, tenant),
    wallets: () => wallets(database),
    postings: (page) => postings(database, page),
    usage: (query) => usage(deps, query),
    deliveredTokens: (query) => deliveredTokens(database, query),
    live: (query) => live(deps, query),
    requests: (page) => requests(database, page),
    usageRecords: (page) => recordPage(database, page),
    explain: (id) => explain(database, id),
    verify: (options = {}, onProgress) => verify(database, options, onProgress),
  }
}

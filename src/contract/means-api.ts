import * as z from 'zod'
import { EpochMs, RequestIdText, ServiceName, Slug, UnsignedPicoText } from './scalars.ts'

/** Amounts are pico-yuan where the unit is `CNY`, else millionths of the unit of that conversion table. */
const Unit = z.union([z.literal('CNY'), Slug])

/** A part of a wallet or of tokens. They burn by priority (lower first), then by expiry, then by id. */
export const LotView = z.object({
  id: z.string(),
  unit: Unit,
  source: z.enum(['paid', 'gift', 'sla', 'package']),
  reference: z.string(),
  state: z.enum(['pending', 'active', 'expired', 'refunded']),
  granted: UnsignedPicoText,
  remaining: UnsignedPicoText,
  priority: z.int(),
  validFromMs: EpochMs,
  expiresAtMs: EpochMs.nullable(),
  createdAtMs: EpochMs,
})
export type LotView = z.infer<typeof LotView>

/** What is refilled by time, with the period that runs now. What was not used of a period does not go over into the next. */
const Refilled = {
  id: z.string(),
  unit: Unit,
  period: z.enum(['minute', 'day', 'month']),
  /** Of each period. */
  amount: UnsignedPicoText,
  /** Of the running period, posted. */
  used: UnsignedPicoText,
  /** Set aside for requests that run. */
  held: UnsignedPicoText,
  fromMs: EpochMs,
  toMs: EpochMs,
}

export const CapView = z.object({
  ...Refilled,
  scope: z.enum(['tenant', 'project', 'key']),
  /** The tenant, its project or the key. */
  subject: z.string(),
})
export type CapView = z.infer<typeof CapView>

export const ReservationView = z.object({
  ...Refilled,
  /** Dimensions of one reservation have it in common. */
  reservation: z.string(),
  services: z.array(ServiceName),
  window: z.object({ fromMinute: z.int(), toMinute: z.int() }).nullable(),
  overflow: z.enum(['next', 'reject']),
  validFromMs: EpochMs,
  validToMs: EpochMs.nullable(),
})
export type ReservationView = z.infer<typeof ReservationView>

/** GET /means?tenant= : everything that a tenant may pay with, and what caps it. */
export const MeansReply = z.object({
  tenant: Slug,
  /** With something left or to come, and the last hundred others; newest first. */
  lots: z.array(LotView),
  caps: z.array(CapView),
  reservations: z.array(ReservationView),
  /** Who else may pay with this wallet and these tokens, and whose this tenant may use. */
  sharesWith: z.array(Slug),
  sharesOf: z.array(Slug),
})
export type MeansReply = z.infer<typeof MeansReply>

/** GET /corrections?tenant=&limit= : requests that were rated again or given back. What they were recorded as never changes. */
export const CorrectionView = z.object({
  usage: RequestIdText,
  version: z.int(),
  kind: z.enum(['rerate', 'refund']),
  /** What the request costs from then on. */
  sellPico: UnsignedPicoText,
  taxPico: UnsignedPicoText,
  sellSheet: z.string(),
  reason: z.string(),
  /** For operators; else null. */
  by: z.string().nullable(),
  madeAtMs: EpochMs,
})
export type CorrectionView = z.infer<typeof CorrectionView>

import type { UsageRecord } from '#contract'
import { netOfTax, pico, pricesFor, rate } from '#kernel'
import type { Calendars, PricedSheet } from '#kernel'
import { ownerOfTokens } from '../bucket/model.ts'
import { partsOf } from '../ingest/burn.ts'
import type { BurnColumns } from '../ingest/burn.ts'
import { uncoveredTokens } from '../ingest/model.ts'
import { burn, openPurse, recognisedAt } from '../lots/model.ts'
import type { Lot } from '../lots/model.ts'
import type { LotMove } from '../lots/store.ts'
import type { TokenBurn } from '../model.ts'

/** What a request costs and who covers it, as it is booked at the moment. */
export interface Standing {
  readonly sellPico: bigint
  readonly taxPico: bigint
  readonly sellSheet: string
  readonly drawsKept: boolean
  readonly burn: BurnColumns
}

/** What it is to cost. Undefined if the sheet names a calendar that is not known. */
export function priceAgain(
  record: UsageRecord,
  { sheet, taxPercent, calendars }: { sheet: PricedSheet; taxPercent: number; calendars: Calendars },
): { sellPico: bigint; taxPico: bigint } | undefined {
  const { uncachedInput, cacheWrite, cacheRead } = record.tokens
  const moment = { tier: record.tier ?? 'standard', atMs: record.acceptedAtMs } as const
  const prices = pricesFor(sheet, { ...moment, inputTokens: uncachedInput + cacheWrite + cacheRead }, calendars)?.prices
  if (!prices) return undefined
  const reserved = (record.draws ?? []).reduce(
    (sum, { kind, version, amount }) => (kind === 'throughput' && version === null ? sum + BigInt(amount) : sum),
    0n,
  )
  const price = rate(uncoveredTokens(record), prices) - reserved
  const sell = pico(price > 0n ? price : 0n)
  return { sellPico: sell, taxPico: sell - netOfTax(sell, taxPercent) }
}

export interface Redo {
  /** Columns of the new state. */
  readonly burn: BurnColumns
  readonly moves: readonly LotMove[]
  readonly tokens: readonly TokenBurn[]
}

/**
 * Puts back what a request took, and takes anew what it is to cost. `lots`: all that can be burned of the payer's wallet, and what
 * the request burned, as they are now. What the wallet does not have is an overrun, so that a correction never fails half way.
 */
export function redo(
  before: Standing,
  after: { readonly sellPico: bigint; readonly taxPico: bigint; readonly drawsKept: boolean },
  ground: {
    readonly wallet: string
    readonly lots: readonly Lot[]
    /** Of the wallet, once it has back what the request took. */
    readonly available: bigint
    readonly atMs: number
  },
): Redo {
  const byId = new Map(ground.lots.map((lot) => [lot.id, lot]))
  const back = new Map<string, bigint>()
  const kept: { lot: Lot; amount: bigint }[] = []
  for (const [index, id] of (before.burn.lots ?? []).entries()) {
    const [lot, amount] = [byId.get(id), before.burn.lotAmounts?.[index] ?? 0n]
    if (!lot) throw new Error(`lot ${id} is gone`)
    if (lot.bucket !== ground.wallet && after.drawsKept) kept.push({ lot, amount })
    else back.set(id, (back.get(id) ?? 0n) + amount)
  }
  const free = ground.available > 0n ? ground.available : 0n
  const due = after.sellPico < free ? after.sellPico : free
  const whole = ground.lots
    .filter(({ bucket }) => bucket === ground.wallet)
    .map((lot) => ({ ...lot, remaining: lot.remaining + (back.get(lot.id) ?? 0n) }))
  const pieces = burn(openPurse(whole), due, ground.atMs)
  const parts = partsOf(pieces, { sell: after.sellPico, due, tax: after.taxPico })
  const all = [...pieces, ...kept]
  const change = new Map(back)
  for (const { lot, amount } of pieces) change.set(lot.id, (change.get(lot.id) ?? 0n) - amount)
  return {
    burn: {
      lots: all.length === 0 ? null : all.map(({ lot }) => lot.id),
      lotAmounts: all.length === 0 ? null : all.map(({ amount }) => amount),
      ...parts,
    },
    ...movesOf(change, byId),
  }
}

function movesOf(
  change: ReadonlyMap<string, bigint>,
  lots: ReadonlyMap<string, Lot>,
): { moves: LotMove[]; tokens: TokenBurn[] } {
  const moves: LotMove[] = []
  const tokens: TokenBurn[] = []
  for (const [id, remaining] of change) {
    const lot = lots.get(id)
    if (!lot || remaining === 0n) continue
    const recognised = recognisedAt(lot, lot.remaining + remaining) - lot.recognised
    moves.push({ id, remaining, recognised })
    const owner = ownerOfTokens(lot.bucket)
    if (owner) tokens.push({ ...owner, units: -remaining, revenuePico: recognised })
  }
  return { moves, tokens }
}

import type { Commitment, NetworkLink } from '#contract'
import type { Tier } from '#kernel'
import type { SupplierNature } from './supplier.ts'

/** Pico-yuan per token. Estimates, not money: a simulation books nothing. */
export interface Price {
  readonly input: number
  readonly cachedInput: number
  readonly output: number
}

export interface SimulatedSupplier extends SupplierNature {
  /** Its prices, each from a moment on, by time. */
  readonly prices: readonly { readonly fromMs: number; readonly price: Price }[]
  /** What it told us of its limit; undefined: to be found out. */
  readonly toldLimit?: number
}

/** What was promised to a class. */
export interface Promised {
  readonly ttftMs: number
  readonly tpotMs: number
  readonly attainment: number
  /** An attempt that has said nothing for so long is given up; absent: four times `ttftMs`. */
  readonly giveUpMs?: number
  /** Credit for a request that missed. */
  readonly missPico: number
}

export interface SimulatedMarket {
  readonly suppliers: readonly SimulatedSupplier[]
  readonly links: readonly NetworkLink[]
  readonly commitments: readonly Commitment[]
  readonly promised: Readonly<Partial<Record<Tier, Promised>>>
  /** One gateway per entry; a workload's `region` counts the different ones in order. */
  readonly gateways: readonly string[]
}

/** Something that befalls a supplier from one moment to another. */
export interface Incident {
  readonly supplier: number
  readonly fromMs: number
  readonly toMs: number
  readonly kind: 'brown_out' | 'black_out' | 'refusals'
  /** Times as slow; part refused. */
  readonly strength: number
}

export function priceAt({ prices }: SimulatedSupplier, atMs: number): Price {
  let { price } = prices[0]!
  for (const each of prices) if (each.fromMs <= atMs) ({ price } = each)
  return price
}

const DEFAULT_RTT_MS = 50

/** Between two regions, there and back, and what carrying a byte costs. */
export function linkBetween({ links }: Pick<SimulatedMarket, 'links'>, one: string, other: string) {
  if (one === other) return { rttMs: 2, bytePico: 0 }
  const link = links.find(({ from, to }) => (from === one && to === other) || (from === other && to === one))
  return { rttMs: link?.rttMs ?? DEFAULT_RTT_MS, bytePico: Number(link?.mebibytePico ?? 0) / 1_048_576 }
}

import { PICO_PER_FEN, divideHalfUp, fenToPico, roundToFen } from '#kernel'
import type { Entry } from '#ledger'

/** What a settlement is made from; pico unless the name says fen. */
export interface Facts {
  /** Our cost of the requests that the statement settles. */
  readonly accruedPico: bigint
  /** What the supplier's own rounding of lines put on it, or took off. */
  readonly roundingPico: bigint
  /** Of the differences, what is paid after all. */
  readonly agreedPico: bigint
  readonly taxAgreedPico: bigint
  /** Put aside for what is in dispute; of what had been put aside, what is decided now, and how much of that the supplier gets. */
  readonly heldPico: bigint
  readonly freedPico: bigint
  readonly releasedPico: bigint
  readonly taxPercent: number
  /** Penalties that are taken off now, and what our recount takes off. */
  readonly penaltyFen: bigint
  readonly recountFen: bigint
  /** What the supplier owes us already, by the books. */
  readonly receivablePico: bigint
}

export interface Figures extends Facts {
  readonly netPico: bigint
  readonly netFen: bigint
  readonly taxFen: bigint
  readonly grossFen: bigint
  readonly nettedFen: bigint
  readonly payableFen: bigint
}

/** Nothing is rounded but the net, once, to fen, and the tax on it; both half up. */
export function figuresOf(facts: Facts): Figures {
  const netPico = facts.accruedPico + facts.roundingPico + facts.agreedPico + facts.releasedPico
  const netFen = roundToFen(netPico)
  const taxFen = divideHalfUp(netFen * BigInt(facts.taxPercent), 100n) + roundToFen(facts.taxAgreedPico)
  const grossFen = netFen + taxFen
  const receivableFen = facts.receivablePico > 0n ? facts.receivablePico / PICO_PER_FEN : 0n
  const owedFen = receivableFen + facts.penaltyFen + facts.recountFen
  const nettedFen = grossFen <= 0n ? 0n : owedFen < grossFen ? owedFen : grossFen
  return { ...facts, netPico, netFen, taxFen, grossFen, nettedFen, payableFen: grossFen - nettedFen }
}

/**
 * The posting of a settlement: what accrued for its requests leaves 2110 to the pico, whatever the supplier wanted for them; the
 * difference is variance, rounding, or in dispute.
 */
export function settlementEntries(supplier: string, figures: Figures): Entry[] {
  const { accruedPico, roundingPico, agreedPico, heldPico, freedPico, releasedPico, netPico } = figures
  const netted = fenToPico(figures.nettedFen)
  const penalty: bigint = fenToPico(figures.penaltyFen)
  const recount = fenToPico(figures.recountFen)
  return [
    { account: `2110:${supplier}`, amountPico: accruedPico },
    { account: `2115:${supplier}`, amountPico: freedPico - heldPico },
    { account: `5060:${supplier}`, amountPico: agreedPico + heldPico + releasedPico - freedPico - recount },
    { account: '5020', amountPico: roundingPico + fenToPico(figures.netFen) - netPico },
    { account: '1300', amountPico: fenToPico(figures.taxFen) },
    { account: `2100:${supplier}`, amountPico: netted - fenToPico(figures.grossFen) },
    { account: `1210:${supplier}`, amountPico: penalty + recount - netted },
    { account: `5070:${supplier}`, amountPico: -penalty },
  ].filter(({ amountPico }) => amountPico !== 0n)
}

export function paymentEntries(supplier: string, payableFen: bigint): Entry[] {
  const amountPico: bigint = fenToPico(payableFen)
  return [
    { account: `2100:${supplier}`, amountPico },
    { account: '1000', amountPico: -amountPico },
  ]
}

/** Figures as text, in which they are kept beside their posting. */
export function writeFigures(figures: Figures): Record<keyof Figures, string | number> {
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]: [string, bigint | number]) => [
      name,
      typeof value === 'bigint' ? `${value}` : value,
    ]),
  ) as Record<keyof Figures, string | number>
}

export function readFigures(written: Readonly<Record<string, string | number>>): Figures {
  return Object.fromEntries(
    Object.entries(written).map(([name, value]) => [name, typeof value === 'string' ? BigInt(value) : value]),
  ) as unknown as Figures
}

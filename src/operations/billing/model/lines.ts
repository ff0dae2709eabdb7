import { PICO_PER_FEN, fenToPico, roundToFen, taxInGross } from '#kernel'

/**
 * What is billed together and rounded together: the usage of one service at one price sheet and tax rate in one month, or one fee.
 * However many documents speak of a charge, together they always say the rounded value of its sum, so nothing ever drifts.
 */
export interface Charge {
  readonly id: string
  /** Who is billed: the payer. */
  readonly tenant: string
  readonly kind: 'usage' | 'fee'
  readonly period: string
  readonly description: string
  readonly service: string | null
  readonly sheet: string | null
  readonly taxPercent: number
}

/** Sums of a charge, in pico-yuan: everything so far, or everything that was billed so far. */
export interface ChargeSums {
  /** Paid by lots that were paid for, and on credit; tax included. Gifts are no sale and stay out. */
  readonly grossPico: bigint
  /** The part of it that is on credit. */
  readonly creditPico: bigint
  /** Output VAT posted to `2210`. */
  readonly taxPico: bigint
  readonly requests: number
  readonly tokens: bigint
}

export const NOTHING: ChargeSums = { grossPico: 0n, creditPico: 0n, taxPico: 0n, requests: 0, tokens: 0n }

export interface Amounts {
  readonly grossFen: bigint
  readonly netFen: bigint
  readonly taxFen: bigint
  /** What the tenant still has to pay of it; the rest came out of its wallet. */
  readonly dueFen: bigint
}

/** One line: a charge between two of its sums. */
export interface Line extends Amounts {
  readonly charge: Charge
  readonly revision: number
  readonly from: ChargeSums
  readonly to: ChargeSums
}

/** What documents say about a charge up to a sum. Each amount is rounded once. */
export function amountsOf({ grossPico, creditPico }: ChargeSums, taxPercent: number): Amounts {
  return { ...taxInGross(roundToFen(grossPico), taxPercent), dueFen: roundToFen(creditPico) }
}

/** The line that brings a charge from what was billed to what it is now; nothing where no money moved. */
export function nextLine(
  charge: Charge,
  now: ChargeSums,
  billed: { readonly revision: number; readonly sums: ChargeSums } | undefined,
): Line | undefined {
  const from = billed?.sums ?? NOTHING
  if (now.grossPico === from.grossPico && now.creditPico === from.creditPico && now.taxPico === from.taxPico)
    return undefined
  const [before, after] = [amountsOf(from, charge.taxPercent), amountsOf(now, charge.taxPercent)]
  return {
    charge,
    revision: (billed?.revision ?? 0) + 1,
    from,
    to: now,
    grossFen: after.grossFen - before.grossFen,
    netFen: after.netFen - before.netFen,
    taxFen: after.taxFen - before.taxFen,
    dueFen: after.dueFen - before.dueFen,
  }
}

export function totalsOf(lines: readonly Amounts[]): Amounts {
  return lines.reduce<Amounts>(
    (sum, line) => ({
      grossFen: sum.grossFen + line.grossFen,
      netFen: sum.netFen + line.netFen,
      taxFen: sum.taxFen + line.taxFen,
      dueFen: sum.dueFen + line.dueFen,
    }),
    { grossFen: 0n, netFen: 0n, taxFen: 0n, dueFen: 0n },
  )
}

const HALF_FEN = PICO_PER_FEN / 2n

/**
 * Whether rounding explains the whole difference between what documents say of a charge and what the books say. Gross and due
 * amounts: half a fen. Tax: half a fen for its own rounding, that of the gross amount at the tax rate, and half a pico per
 * request, because tax is split off each request. More than that is no residue but a mistake.
 */
export function isResidue(sums: ChargeSums, taxPercent: number): boolean {
  const { grossFen, taxFen, dueFen } = amountsOf(sums, taxPercent)
  const rate = BigInt(taxPercent)
  const taxBound = HALF_FEN + (HALF_FEN * rate) / (100n + rate) + BigInt(sums.requests) + 1n
  return (
    absolute(fenToPico(grossFen) - sums.grossPico) <= HALF_FEN &&
    absolute(fenToPico(dueFen) - sums.creditPico) <= HALF_FEN &&
    absolute(fenToPico(taxFen) - sums.taxPico) <= taxBound
  )
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value
}

/** What is billed now, and what must become credit notes: an invoice cannot have lines below zero. */
export function sortLines(lines: readonly Line[]): {
  readonly billed: readonly Line[]
  readonly credited: readonly Line[]
} {
  const ordered = lines.toSorted(
    (a, b) => compare(a.charge.period, b.charge.period) || compare(a.charge.id, b.charge.id),
  )
  return {
    billed: ordered.filter((line) => !isCredit(line)),
    credited: ordered.filter(isCredit),
  }
}

function isCredit({ from, to }: Line): boolean {
  return to.grossPico < from.grossPico || (to.grossPico === from.grossPico && to.creditPico < from.creditPico)
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

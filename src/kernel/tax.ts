import { pico } from './money.ts'
import type { Pico } from './money.ts'
import { divideHalfEven, divideHalfUp } from './rounding.ts'

/** The part of a tax-inclusive amount that is net, rounded half to even to one pico; tax is the rest, so nothing is lost. */
export function netOfTax(gross: Pico, taxPercent: number): Pico {
  return pico(divideHalfEven(gross * 100n, hundredPlus(taxPercent)))
}

/** What an amount without tax costs with it, rounded half to even to one pico: exact wherever the amount is of whole fen. */
export function grossOfTax(net: Pico, taxPercent: number): Pico {
  return pico(divideHalfEven(net * hundredPlus(taxPercent), 100n))
}

/** A line of a document, in fen: `gross` is always `net` + `tax`. */
export interface TaxedFen {
  readonly grossFen: bigint
  readonly netFen: bigint
  readonly taxFen: bigint
}

/** A line whose price includes tax: what was paid stays, net is rounded half up, tax is the rest. */
export function taxInGross(grossFen: bigint, taxPercent: number): TaxedFen {
  const netFen = divideHalfUp(grossFen * 100n, hundredPlus(taxPercent))
  return { grossFen, netFen, taxFen: grossFen - netFen }
}

/** A line whose price is without tax: tax is rounded half up and added. */
export function taxOnNet(netFen: bigint, taxPercent: number): TaxedFen {
  const taxFen = divideHalfUp(netFen * (hundredPlus(taxPercent) - 100n), 100n)
  return { grossFen: netFen + taxFen, netFen, taxFen }
}

function hundredPlus(taxPercent: number): bigint {
  if (!Number.isInteger(taxPercent) || taxPercent < 0 || taxPercent > 100)
    throw new RangeError(`tax percent ${taxPercent}`)
  return BigInt(100 + taxPercent)
}

import * as z from 'zod'
import { EpochMs, Entitlement, UnsignedPicoText } from '#contract'
import type { Priced } from '../model/pricing.ts'

/** How a price and what it brings are kept and answered. */
export const PricedJson = z.object({
  grossPico: UnsignedPicoText,
  netPico: UnsignedPicoText,
  taxPico: UnsignedPicoText,
  taxPercent: z.int(),
  fromMs: EpochMs,
  toMs: EpochMs.nullable(),
  entitlements: z.array(Entitlement),
})

export function pricedJson({ grossPico, netPico, taxPico, entitlements, ...rest }: Priced): z.infer<typeof PricedJson> {
  return {
    ...rest,
    grossPico: `${grossPico}`,
    netPico: `${netPico}`,
    taxPico: `${taxPico}`,
    entitlements: [...entitlements],
  }
}

export function pricedFrom({ grossPico, netPico, taxPico, ...rest }: z.infer<typeof PricedJson>): Priced {
  return { ...rest, grossPico: BigInt(grossPico), netPico: BigInt(netPico), taxPico: BigInt(taxPico) }
}

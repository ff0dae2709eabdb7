import type { ErrorRates } from './error-rate.ts'
import type { TpotEstimates } from './estimate-tpot.ts'
import type { TtftEstimates } from './estimate-ttft.ts'
import type { Lane } from './lane.ts'
import { normalCdf } from './normal.ts'
import { sizeClassOf } from './size-class.ts'

export interface Estimates {
  readonly ttft: TtftEstimates
  readonly tpot: TpotEstimates
  readonly errors: ErrorRates
}

/**
 * The probability, before calibration, that a request is late with its first token, too slow after it, or fails:
 * `1 − Π(1 − pᵢ)` with `p = 1 − Φ((ln SLO − ln estimate)/σ)` for the two latencies (scheduling reference §2.2).
 */
export function missProbability(
  { ttft, tpot, errors }: Estimates,
  slot: number,
  load: { readonly uncachedTokens: number; readonly tokensAhead: number; readonly inFlight: number },
  lane: Lane | undefined,
): number {
  const served = 1 - errors.rate(slot)
  if (!lane) return 1 - served
  const sizeClass = sizeClassOf(load.uncachedTokens)
  const inTime = normalCdf((lane.lnTtftMs - ttft.lnMs(slot, sizeClass, load.tokensAhead)) / ttft.sigma(slot, sizeClass))
  const inPace = normalCdf((lane.lnTpotMs - Math.log(tpot.ms(slot, load.inFlight))) / tpot.sigma(slot))
  return 1 - served * inTime * inPace
}

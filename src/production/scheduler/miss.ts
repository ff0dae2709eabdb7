import { createColumns } from './columns.ts'
import type { Columns } from './columns.ts'
import type { ErrorRates } from './error-rate.ts'
import type { TpotEstimates } from './estimate-tpot.ts'
import type { TtftEstimates } from './estimate-ttft.ts'
import type { Lane } from './lane.ts'

export interface Estimates {
  readonly ttft: TtftEstimates
  readonly tpot: TpotEstimates
  readonly errors: ErrorRates
}

/**
 * The probability, before calibration, that a request is late with its first token, too slow after it, or fails:
 * `1 − Π(1 − pᵢ)` with `p = 1 − Φ((ln SLO − ln estimate)/σ)` for the two latencies (scheduling reference §2.2). Without a promise
 * there is only failure.
 */
export function readMisses({ ttft, tpot, errors }: Estimates, columns: Columns, lane: Lane | undefined): void {
  errors.readRates(columns)
  if (!lane) return
  ttft.addMisses(columns, lane.lnTtftMs)
  tpot.addMisses(columns, lane.lnTpotMs)
}

const single = createColumns(1)
single.count = 1

/** The same for one endpoint. */
export function missProbability(
  estimates: Estimates,
  slot: number,
  load: { readonly uncachedTokens: number; readonly tokensAhead: number; readonly inFlight: number },
  lane: Lane | undefined,
): number {
  single.slots[0] = slot
  single.uncachedTokens[0] = load.uncachedTokens
  single.tokensAhead[0] = load.tokensAhead
  single.inFlight[0] = load.inFlight
  readMisses(estimates, single, lane)
  return single.missProbability[0] as number
}

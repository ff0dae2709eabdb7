import { baseline, least } from './baseline.ts'

const RECENT = 64
const KEPT_LATENCIES = 5
const CUT = 0.9
const FIRST_LIMIT = 128

/**
 * Prequal's rule (NSDI '24), hot-cold lexicographic, with completed first tokens for probes: a supplier with more in flight than the
 * `quantile` of what was seen lately is hot; the fastest of the cold ones is taken, or the least loaded when all are hot.
 * `normalised`: what is in flight is divided by a limit learned from refusals, for suppliers of unlike size.
 */
export function hcl(name: string, title: string, { normalised, quantile = 0.84 }: HclShape) {
  return baseline(name, title, ({ market, random }, { inFlight }) => {
    const count = market.suppliers.length
    const limit = new Float64Array(count).fill(FIRST_LIMIT)
    const latencies: number[][] = market.suppliers.map(() => [])
    const recent: number[] = []
    const load = (each: number) => (normalised ? inFlight[each]! / limit[each]! : inFlight[each]!)
    const latency = (each: number) => median(latencies[each]!) ?? random()
    const learn = (supplier: number, ms: number): void => {
      const own = latencies[supplier]!
      own.push(ms)
      if (own.length > KEPT_LATENCIES) own.shift()
    }
    return {
      pick(among) {
        const threshold = recent.length === 0 ? Number.POSITIVE_INFINITY : partOf(recent, quantile)
        const cold = among.filter((each) => load(each) <= threshold)
        return cold.length > 0 ? least(cold, latency) : least(among, load)
      },
      began({ supplier }) {
        recent.push(load(supplier))
        if (recent.length > RECENT) recent.shift()
      },
      firstToken: ({ supplier }, ms) => learn(supplier, ms),
      ended({ supplier }, { outcome }) {
        if (outcome === 'served') {
          if (inFlight[supplier]! > 0.6 * limit[supplier]!) limit[supplier]! += 1 / limit[supplier]!
          return
        }
        learn(supplier, 10_000)
        if (outcome === 'status_429')
          limit[supplier] = Math.max(1, CUT * Math.min(limit[supplier]!, inFlight[supplier]! + 1))
      },
    }
  })
}

interface HclShape {
  readonly normalised: boolean
  readonly quantile?: number
}

function median(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : partOf(values, 0.5)
}

function partOf(values: readonly number[], part: number): number {
  const ascending = values.toSorted((one, other) => one - other)
  return ascending[Math.min(ascending.length - 1, Math.floor(part * ascending.length))]!
}

import { defaultMarket } from './default-market.ts'
import type { MarketShape } from './default-market.ts'
import type { SimulatedSupplier } from './market.ts'
import type { World } from './world.ts'
import type { Workload } from './workload.ts'
import { durationMs } from './workload.ts'

const REGIONS = ['north', 'east', 'west'] as const
/** Yuan for a gibibyte between regions, in pico-yuan per mebibyte. */
const MEBIBYTE_PICO = String(Math.round((0.5 / 1_024) * 1e12))
/** Demand of a region at its own noon, in times of its mean. */
const PEAK = 1

/**
 * Each region has two suppliers of its own, alike in kind but not in price, and demand that peaks a third of the time after its
 * neighbour's: what one lacks at noon, another has at midnight.
 */
export function threeRegions(workload: Workload, shape: MarketShape): World {
  const base = defaultMarket(workload, { ...shape, takeOrPay: {} })
  const suppliers = REGIONS.flatMap((region, index) =>
    ['steady', 'budget'].map((name): SimulatedSupplier => {
      const kind = base.suppliers.find((each) => each.name === name)!
      return { ...kind, name: `${name} ${region}`, region, prices: scaled(kind.prices, 1 + 0.25 * index) }
    }),
  )
  const links = [
    { from: 'north', to: 'east', rttMs: 30, mebibytePico: MEBIBYTE_PICO },
    { from: 'east', to: 'west', rttMs: 40, mebibytePico: MEBIBYTE_PICO },
    { from: 'north', to: 'west', rttMs: 60, mebibytePico: MEBIBYTE_PICO },
  ]
  return {
    workload: phased(workload, REGIONS.length),
    market: { ...base, suppliers, links, gateways: REGIONS },
    incidents: [],
  }
}

function scaled(prices: SimulatedSupplier['prices'], factor: number): SimulatedSupplier['prices'] {
  return prices.map(({ fromMs, price }) => ({
    fromMs,
    price: { input: factor * price.input, cachedInput: factor * price.cachedInput, output: factor * price.output },
  }))
}

/** Gives each request to a region, with a chance that follows the regions' hours; the sum over all regions stays as it is. */
export function phased(workload: Workload, regions: number): Workload {
  const all = durationMs(workload)
  const region = workload.region.map((_, request) => {
    const hour = (2 * Math.PI * workload.arrivalMs[request]!) / all
    const weights = Array.from(
      { length: regions },
      (__, each) => 1 + PEAK * Math.cos(hour - (2 * Math.PI * each) / regions),
    )
    // The golden ratio spreads evenly, and is the same for every policy.
    let left = ((request * 0.618_033_988_75) % 1) * weights.reduce((sum, weight) => sum + weight, 0)
    for (let each = 0; each < regions; each++) {
      left -= weights[each]!
      if (left < 0) return each
    }
    return regions - 1
  })
  return { ...workload, region }
}

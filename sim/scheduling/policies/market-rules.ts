import { linkBetween } from '../market.ts'
import { baseline, least } from './baseline.ts'
import { blendedPrice } from './simple.ts'

/** Whoever is in the gateway's own region, the least loaded of them; the next region only when all of these have failed. */
export const nearest = baseline('nearest', 'nearest only', ({ market, region, random }, { inFlight }) => {
  const far = market.suppliers.map((each) => linkBetween(market, region, each.region).rttMs)
  return {
    pick(among) {
      const closest = Math.min(...among.map((each) => far[each]!))
      return least(
        among.filter((each) => far[each] === closest),
        (each) => inFlight[each]! + random() / 2,
      )
    },
  }
})

const GAIN = 0.1
const STEEPNESS = 4
const EXPLORE = 0.01
/** What a second until the first token, and a failure for certain, are worth, in parts of the usual price. */
const SECOND = 0.5
const FAILURE = 10
const EDGE = 0.25

/**
 * OpenRouter's rule since 2026, as far as it is published: a share for each by its adjusted price (price, first token, failures) against
 * the competitive edge of price and speed; most of the traffic inside it, beyond it falling fast and never to nothing.
 */
export const shareRule = baseline('share-rule', 'adjusted price × speed', ({ market, random }, { inFlight }) => {
  const count = market.suppliers.length
  const ttftMs = new Float64Array(count).fill(500)
  const failures = new Float64Array(count)
  const cap = new Float64Array(count).fill(Number.POSITIVE_INFINITY)
  const move = (column: Float64Array, at: number, value: number): void => {
    column[at] = column[at]! + GAIN * (value - column[at]!)
  }
  return {
    pick(among, { nowMs }) {
      const usual = Math.min(...market.suppliers.map((each) => blendedPrice(each, nowMs)))
      const open = among.filter((each) => inFlight[each]! < cap[each]!)
      const some = open.length > 0 ? open : among
      const adjusted = some.map(
        (each) =>
          blendedPrice(market.suppliers[each]!, nowMs) / usual +
          SECOND * (ttftMs[each]! / 1_000) ** 2 +
          FAILURE * failures[each]!,
      )
      const edge = Math.min(...adjusted) * (1 + EDGE)
      const weights = adjusted.map((price) => Math.max(EXPLORE, price <= edge ? 1 : (edge / price) ** STEEPNESS))
      let left = random() * weights.reduce((sum, weight) => sum + weight, 0)
      for (let i = 0; i < some.length; i++) {
        left -= weights[i]!
        if (left < 0) return some[i]!
      }
      return some.at(-1)!
    },
    firstToken({ supplier }, ms) {
      move(ttftMs, supplier, ms)
    },
    ended({ supplier }, { outcome }) {
      move(failures, supplier, outcome === 'served' ? 0 : 1)
      if (outcome === 'status_429') cap[supplier] = Math.max(1, 0.9 * Math.min(cap[supplier]!, inFlight[supplier]! + 1))
      else if (outcome === 'served' && inFlight[supplier]! > 0.6 * cap[supplier]!) cap[supplier]! += 1 / cap[supplier]!
    },
  }
})

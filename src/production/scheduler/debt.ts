/** Scheduling reference §2.1: every 5 s, attainment over the last 60 s. */
export const DEBT_TICK_MS = 5_000
const BUCKETS = 12
const RISE = 1.6
const FALL = 0.93
/** V_max over V_min: between 20 and 40 by the reference. */
const MOST_TIMES = 30

/** What a miss is worth avoiding now, in pico-yuan: a virtual queue that grows while a promise is broken and shrinks while it is kept. */
export interface Debt {
  count(isGood: boolean): void
  /** Closes a bucket and moves the price. `floor` is what a missed request really costs us. */
  tick(floor: number, target: number): void
  readonly price: number
  /** Good of valid requests in the window; 1 while there were none. */
  readonly attainment: number
  readonly valid: number
  readonly isInDebt: boolean
}

export function createDebt(floor: number): Debt {
  const good = new Float64Array(BUCKETS)
  const valid = new Float64Array(BUCKETS)
  let bucket = 0
  let price = floor
  let isInDebt = false
  const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0)
  const attainment = () => {
    const all = sum(valid)
    return all === 0 ? 1 : sum(good) / all
  }
  return {
    count(isGood) {
      valid[bucket] = (valid[bucket] as number) + 1
      if (isGood) good[bucket] = (good[bucket] as number) + 1
    },
    tick(least, target) {
      isInDebt = attainment() < target
      price = isInDebt ? Math.min(MOST_TIMES * least, Math.max(price, least) * RISE) : Math.max(least, price * FALL)
      bucket = (bucket + 1) % BUCKETS
      good[bucket] = 0
      valid[bucket] = 0
    },
    get price() {
      return price
    },
    get attainment() {
      return attainment()
    },
    get valid() {
      return sum(valid)
    },
    get isInDebt() {
      return isInDebt
    },
  }
}

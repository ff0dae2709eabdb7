/** Samples count less the older they are: the newest weighs a fiftieth. */
const GAIN = 0.02
/** From this many on, a sample above three times what was expected counts as three times: one stall must not tilt the line. */
const ROBUST_FROM = 8
const OUTLIER_FACTOR = 3

/** One exponentially weighted least-squares line y = level + slope · (x − centre) per slot, its slope never below zero. */
export interface LineFits {
  learn(slot: number, x: number, y: number): void
  /** The line may have moved as a whole: the next sample says where to. Its slope is kept. */
  doubt(slot: number): void
  isDoubted(slot: number): boolean
  slope(slot: number): number
  at(slot: number, x: number): number
  samples(slot: number): number
}

/** `ridge` is a variance of x below which the slope is not believed. */
export function createLineFits(slots: number, ridge: number): LineFits {
  const count = new Float64Array(slots)
  const meanX = new Float64Array(slots)
  const meanY = new Float64Array(slots)
  const varX = new Float64Array(slots)
  const covXY = new Float64Array(slots)
  const slopes = new Float64Array(slots)
  const doubted = new Uint8Array(slots)
  const at = (slot: number, x: number): number => {
    const level = meanY[slot] as number
    // Far outside of what was seen the line would promise nothing or less.
    return Math.max(0.2 * level, level + (slopes[slot] as number) * (x - (meanX[slot] as number)))
  }
  return {
    learn(slot, x, y) {
      const n = count[slot] as number
      if (doubted[slot] === 1) {
        meanY[slot] = Math.max(0, (meanY[slot] as number) + y - at(slot, x))
        doubted[slot] = 0
        return
      }
      const value = n >= ROBUST_FROM ? Math.min(y, OUTLIER_FACTOR * at(slot, x)) : y
      const gain = Math.max(GAIN, 1 / (n + 1))
      const dx = x - (meanX[slot] as number)
      const dy = value - (meanY[slot] as number)
      meanX[slot] = (meanX[slot] as number) + gain * dx
      meanY[slot] = (meanY[slot] as number) + gain * dy
      varX[slot] = (1 - gain) * ((varX[slot] as number) + gain * dx * dx)
      covXY[slot] = (1 - gain) * ((covXY[slot] as number) + gain * dx * dy)
      slopes[slot] = Math.max(0, covXY[slot] / (varX[slot] + ridge))
      count[slot] = n + 1
    },
    doubt(slot) {
      if ((count[slot] as number) > 0) doubted[slot] = 1
    },
    isDoubted: (slot) => doubted[slot] === 1,
    slope: (slot) => slopes[slot] as number,
    at,
    samples: (slot) => count[slot] as number,
  }
}

import type { Columns } from './columns.ts'

/** Narrow where most predictions are: nearly all of a healthy lane's lie below 5 %. */
export const BIN_EDGES: readonly number[] = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1]
const BINS = BIN_EDGES.length
const edges = Float64Array.from(BIN_EDGES)
const middles = Float64Array.from(BIN_EDGES, (edge, bin) => ((BIN_EDGES[bin - 1] ?? 0) + edge) / 2)
/** What a bin is believed before it has this many samples of its own. */
const SHRINK = 20
const FORGET = 0.999
const GAIN = 0.01
/** Fewer say nothing of the whole. */
const LEAST_SAMPLES = 100
const WORSE_THAN_CLIMATE = 1.25
const TRUST_AGAIN = 1.1
/** That of one miss in a hundred: below it there is nothing to be better than. */
const LEAST_CLIMATE = 0.01

/** How often a miss came where it was said to, in one bin. */
export interface ReliabilityBin {
  readonly upTo: number
  readonly samples: number
  readonly predicted: number
  readonly observed: number
}

/**
 * What miss probabilities are worth: the reliability curve in ten bins, and Brier's score beside that of always saying the base
 * rate (climatology). Worse than that by a quarter, the predictions are not used at all until they are better again (§2.2).
 */
export interface Calibration {
  learn(predicted: number, isMiss: boolean): void
  /** The prediction corrected by what came of such predictions; never falling where the prediction rises. */
  correct(predicted: number): number
  /** All of `missProbability`. */
  correctAll(columns: Columns): void
  readonly isTrusted: boolean
  readonly brier: number
  readonly climatology: number
  bins(): readonly ReliabilityBin[]
}

export function createCalibration(): Calibration {
  const samples = new Float64Array(BINS)
  const predictions = new Float64Array(BINS)
  const misses = new Float64Array(BINS)
  const curve = Float64Array.from(BIN_EDGES, (_, bin) => middleOf(bin))
  let seen = 0
  let brier = 0
  let baseRate = 0
  let isTrusted = true
  const climatology = () => Math.max(LEAST_CLIMATE, baseRate * (1 - baseRate))

  const correct = (predicted: number): number => {
    // Straight lines between the middles of the bins; level beyond the outer ones.
    const bin = binOf(predicted)
    const here = middleOf(bin)
    const other = predicted < here ? bin - 1 : bin + 1
    const level = curve[bin] as number
    if (other < 0 || other >= BINS) return level
    return level + ((predicted - here) / (middleOf(other) - here)) * ((curve[other] as number) - level)
  }

  return {
    learn(predicted, isMiss) {
      const bin = binOf(predicted)
      const miss = isMiss ? 1 : 0
      samples[bin] = (samples[bin] as number) * FORGET + 1
      predictions[bin] = (predictions[bin] as number) * FORGET + predicted
      misses[bin] = (misses[bin] as number) * FORGET + miss
      const gain = Math.max(GAIN, 1 / ++seen)
      brier += gain * ((correct(predicted) - miss) ** 2 - brier)
      baseRate += gain * (miss - baseRate)
      redraw(curve, samples, misses)
      if (seen < LEAST_SAMPLES) return
      isTrusted = brier <= climatology() * (isTrusted ? WORSE_THAN_CLIMATE : TRUST_AGAIN)
    },
    correct,
    correctAll({ picked, count, missProbability }) {
      for (let k = 0; k < count; k++) {
        const seat = picked[k] as number
        missProbability[seat] = correct(missProbability[seat] as number)
      }
    },
    get isTrusted() {
      return isTrusted
    },
    get brier() {
      return brier
    },
    get climatology() {
      return climatology()
    },
    bins: () =>
      BIN_EDGES.map((upTo, bin) => ({
        upTo,
        samples: samples[bin] as number,
        predicted: (predictions[bin] as number) / Math.max(1, samples[bin] as number),
        observed: (misses[bin] as number) / Math.max(1, samples[bin] as number),
      })),
  }
}

function binOf(predicted: number): number {
  for (let bin = 0; bin < BINS - 1; bin++) if (predicted < (edges[bin] as number)) return bin
  return BINS - 1
}

function middleOf(bin: number): number {
  return middles[bin] as number
}

const blockValue = new Float64Array(BINS)
const blockWeight = new Float64Array(BINS)
const blockEnd = new Int32Array(BINS)

/** Each bin's observed rate, drawn towards what it promises while it is new; then pooled until it never falls (pool adjacent violators). */
function redraw(curve: Float64Array, samples: Float64Array, misses: Float64Array): void {
  let blocks = 0
  for (let bin = 0; bin < BINS; bin++) {
    blockWeight[blocks] = (samples[bin] as number) + SHRINK
    blockValue[blocks] = ((misses[bin] as number) + SHRINK * middleOf(bin)) / (blockWeight[blocks] as number)
    blockEnd[blocks] = bin + 1
    blocks++
    while (blocks > 1 && (blockValue[blocks - 2] as number) > (blockValue[blocks - 1] as number)) {
      const [left, right] = [blocks - 2, blocks - 1]
      const weight = (blockWeight[left] as number) + (blockWeight[right] as number)
      blockValue[left] =
        ((blockValue[left] as number) * (blockWeight[left] as number) +
          (blockValue[right] as number) * (blockWeight[right] as number)) /
        weight
      blockWeight[left] = weight
      blockEnd[left] = blockEnd[right] as number
      blocks--
    }
  }
  for (let block = 0, from = 0; block < blocks; block++) {
    curve.fill(blockValue[block] as number, from, blockEnd[block])
    from = blockEnd[block] as number
  }
}

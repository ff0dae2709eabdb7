/** A mean over seeds, and how far from it the truth may be with 95 % confidence. */
export interface Estimate {
  readonly mean: number
  readonly margin: number
}

/** Student's t, 97.5 %, by degrees of freedom from 1 on. */
const T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131]

export function estimate(values: readonly number[]): Estimate {
  const n = values.length
  const mean = values.reduce((sum, value) => sum + value, 0) / n
  if (n < 2) return { mean, margin: Number.NaN }
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1)
  return { mean, margin: (T[n - 2] ?? 1.96) * Math.sqrt(variance / n) }
}

/** Of the differences seed by seed: what the seeds have in common (common random numbers) cancels. */
export function pairedDifference(ones: readonly number[], others: readonly number[]): Estimate {
  return estimate(ones.map((one, i) => one - others[i]!))
}

/** How many lots a supplier of a package has had since its shares last changed. */
export interface Party {
  readonly supplier: string
  readonly ppm: number
  readonly lots: number
}

const MILLION = 1_000_000n

/**
 * Who gets each of the next `count` lots, so that at every moment every supplier has had its share of all lots within less than one
 * lot. The quota method of R. Tijdeman, "The chairman assignment problem" (Discrete Mathematics 32, 1980, 323–330): of those
 * whose quota by the next lot exceeds what they had by at least 1/(2n−2), the one whose next lot is due first; the deviation
 * then never exceeds 1 − 1/(2n−2). Exact in integers. Throws `RangeError` unless the shares sum to a million.
 */
export function divide(parties: readonly Party[], count: number): string[] {
  if (parties.reduce((sum, { ppm }) => sum + ppm, 0) !== 1_000_000) throw new RangeError('shares do not sum to 100 %')
  const lots = new Map(parties.map(({ supplier, lots: had }) => [supplier, BigInt(had)]))
  let total = [...lots.values()].reduce((sum, had) => sum + had, 0n)
  const chosen: string[] = []
  for (let i = 0; i < count; i++) {
    total += 1n
    const supplier = next(parties, lots, total)
    lots.set(supplier, (lots.get(supplier) ?? 0n) + 1n)
    chosen.push(supplier)
  }
  return chosen
}

function next(parties: readonly Party[], lots: ReadonlyMap<string, bigint>, total: bigint): string {
  const [only] = parties
  if (parties.length === 1 && only) return only.supplier
  // Everything in units of 1/(10⁶ · k) of a lot, where k = 2n − 2.
  const k = BigInt(2 * parties.length - 2)
  let best: { supplier: string; due: bigint } | undefined
  for (const { supplier, ppm } of parties) {
    const had = lots.get(supplier) ?? 0n
    const excess = (BigInt(ppm) * total - had * MILLION) * k
    if (excess < MILLION) continue
    const need = (had + 1n) * MILLION * k - MILLION
    const share = BigInt(ppm) * k
    const due = (need + share - 1n) / share
    if (!best || due < best.due) best = { supplier, due }
  }
  if (!best) throw new Error('nobody is due the next lot')
  return best.supplier
}

/** Shares without those who are out, so that they sum to a million again: largest remainders get what rounding leaves. */
export function redistribute(shares: readonly { supplier: string; ppm: number }[], out: ReadonlySet<string>) {
  const left = shares.filter(({ supplier }) => !out.has(supplier))
  const sum = left.reduce((total, { ppm }) => total + ppm, 0)
  if (sum === 0) return []
  const parts = left.map(({ supplier, ppm }) => {
    const scaled = BigInt(ppm) * MILLION
    return { supplier, ppm: Number(scaled / BigInt(sum)), rest: scaled % BigInt(sum) }
  })
  let missing = 1_000_000 - parts.reduce((total, { ppm }) => total + ppm, 0)
  const byRest = parts.toSorted((a, b) =>
    a.rest > b.rest ? -1 : a.rest < b.rest ? 1 : a.supplier < b.supplier ? -1 : 1,
  )
  const extra = new Set<string>()
  for (const { supplier } of byRest) if (missing-- > 0) extra.add(supplier)
  return parts.map(({ supplier, ppm }) => ({ supplier, ppm: ppm + (extra.has(supplier) ? 1 : 0) }))
}

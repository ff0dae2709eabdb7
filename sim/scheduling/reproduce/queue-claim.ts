import { baseline, least } from '../policies/baseline.ts'
import { exponential, stream } from '../random.ts'
import { workloadOf } from '../workload.ts'
import type { Row } from '../workload.ts'
import type { Claim } from './claim.ts'
import { meanTtftMs, replicas, run } from './replicas.ts'

const SERVERS = 100
const LOAD = 0.9
const WORK_TOKENS = 1_000
const WIRE_MS = 2
const QUERIES = 120_000

export const shorterOfTwo = baseline('jsq2', 'P2C, in flight', ({ random }, { inFlight }) => ({
  pick: (among) => {
    const draw = () => among[Math.floor(random() * among.length)]!
    return least([draw(), draw()], (each) => inFlight[each]!)
  },
}))

/** Mitzenmacher 2001: the mean number at a server; by Little's law, divided by the load, the mean time in units of work. */
export function meanAtServer(load: number): number {
  let sum = 0
  for (let i = 1; i < 12; i++) sum += load ** (2 ** i - 1)
  return sum
}

export const powerOfTwoClaim: Claim = {
  row: 5,
  title: 'Power of two choices: 100 servers at 0.9, exponential work (Mitzenmacher)',
  passIf: 'mean number at a server within 5 % of Σ ρ^(2^i − 1)',
  check() {
    const [gaps, work] = [stream(5, 'gaps'), stream(5, 'work')]
    let atMs = 0
    const rows = Array.from({ length: QUERIES }, (): Row => {
      atMs += exponential(gaps, 1_000 / (LOAD * SERVERS))
      return { arrivalMs: atMs, inputTokens: Math.max(1, Math.round(exponential(work, WORK_TOKENS))), outputTokens: 1 }
    })
    const market = replicas(SERVERS, { prefillTokensPerSecond: WORK_TOKENS }, 1e6)
    const meanMs = meanTtftMs(run(workloadOf('queue', rows), market, shorterOfTwo).tally) - WIRE_MS
    const [found, expected] = [(LOAD * meanMs) / 1_000, meanAtServer(LOAD)]
    return {
      passed: Math.abs(found / expected - 1) < 0.05,
      found: `${found.toFixed(3)} for ${expected.toFixed(3)}`,
    }
  },
}

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { quantile } from '../measures.ts'
import { stream } from '../random.ts'
import { percent, seconds } from './claim.ts'
import type { Claim } from './claim.ts'

const DRAWS = 100_000
const BUDGET = 0.05

/** First tokens of one supplier's model in llmperf's measurements of December 2023, in milliseconds. */
function firstTokens(traces: string, provider: string, size: string): Float64Array {
  const lines = readFileSync(join(traces, 'llmperf_supplier_latency.csv'), 'utf8').split('\n').slice(1)
  const cells = lines.map((line) => line.split(','))
  return Float64Array.from(
    cells.filter((cell) => cell[0] === provider && cell[1] === size && cell[3]),
    (cell) => 1_000 * Number(cell[3]),
  ).sort()
}

export const hedgeClaim: Claim = {
  row: 9,
  title: 'Tail at Scale: a second copy at the 95th percentile, from a supplier with a heavy tail to another',
  passIf: 'p99 divided by 10, with at most 5 % more calls',
  check(traces) {
    const [slow, backup] = [firstTokens(traces, 'together', '13b'), firstTokens(traces, 'fireworks', '13b')]
    const draw = stream(1, 'hedges')
    const delayMs = quantile(slow, 0.95)
    let [extra, tokens] = [0, 0]
    const pick = (samples: Float64Array) => samples[Math.floor(draw() * samples.length)]!
    const plain = new Float64Array(DRAWS)
    const hedged = new Float64Array(DRAWS)
    for (let i = 0; i < DRAWS; i++) {
      const first = pick(slow)
      const second = pick(backup)
      tokens = Math.min(100, tokens + BUDGET)
      plain[i] = first
      const isHedged = first > delayMs && tokens >= 1
      if (isHedged) {
        tokens--
        extra++
      }
      hedged[i] = isHedged ? Math.min(first, delayMs + second) : first
    }
    const [before, after] = [quantile(plain.sort(), 0.99), quantile(hedged.sort(), 0.99)]
    return {
      passed: before / after >= 10 && extra / DRAWS <= BUDGET,
      found: `p99 ${seconds(before)} → ${seconds(after)} at ${percent(extra / DRAWS)} more calls`,
    }
  },
}

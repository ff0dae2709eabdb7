import type { CapabilityUnit } from '#contract'
import { fluctuation, percentile, windowsOf } from './statistics.ts'
import type { Sample, Window } from './statistics.ts'

/** The Beijing No. 1 tender's limit, and ours unless another is asked for. */
export const USUAL_FLUCTUATION_PPM = 200_000
/** Of the output that was asked for, this much must have come. */
const DELIVERED_PPM = 950_000
const WINDOWS = 10

export interface Judgement {
  readonly name: string
  readonly asked: string
  readonly measured: string
  readonly passed: boolean
}

export interface LoadSummary {
  readonly requests: number
  readonly failures: number
  readonly lengthMs: number
  readonly ttftMs: Percentiles
  readonly tpotMs: Percentiles
  readonly outputPerMinute: number
  readonly windows: readonly Window[]
  readonly judgements: readonly Judgement[]
}

interface Percentiles {
  readonly p50: number | null
  readonly p95: number | null
  readonly p99: number | null
}

const percentiles = (values: readonly number[]): Percentiles => ({
  p50: percentile(values, 500_000),
  p95: percentile(values, 950_000),
  p99: percentile(values, 990_000),
})

type Promised = Pick<CapabilityUnit, 'ttft' | 'tpot' | 'availabilityPpm'>

/** Judges a load test against what one unit promises, at the load of all units. */
export function judgeLoad(
  samples: readonly Sample[],
  unit: Promised,
  { lengthMs, fluctuationPpm }: { readonly lengthMs: number; readonly fluctuationPpm: number },
): LoadSummary {
  const good = samples.filter(({ ok }) => ok)
  const [ttft, tpot] = [good.flatMap(({ ttftMs }) => ttftMs ?? []), good.flatMap(({ tpotMs }) => tpotMs ?? [])]
  const windows = windowsOf(samples, lengthMs, WINDOWS)
  const swing = fluctuation(windows)
  const [asked, got] = [sum(samples, 'askedTokens'), sum(good, 'outputTokens')]
  const availability = samples.length === 0 ? 0 : Math.floor((good.length * 1_000_000) / samples.length)
  const delivered = asked === 0 ? 0 : Math.floor((got * 1_000_000) / asked)
  return {
    requests: samples.length,
    failures: samples.length - good.length,
    lengthMs,
    ttftMs: percentiles(ttft),
    tpotMs: percentiles(tpot),
    outputPerMinute: (got * 60_000) / lengthMs,
    windows,
    judgements: [
      latency('time to first token', ttft, unit.ttft),
      latency('time per output token', tpot, unit.tpot),
      atLeast('availability', availability, unit.availabilityPpm),
      atLeast('output of what was asked for', delivered, DELIVERED_PPM),
      within('fluctuation of pace', swing.pace, fluctuationPpm),
      within('fluctuation of the first token', swing.ttft, fluctuationPpm),
    ],
  }
}

function latency(name: string, values: readonly number[], term: CapabilityUnit['ttft']): Judgement {
  const measured = percentile(values, term.percentilePpm)
  return {
    name: `${name} at ${term.percentilePpm / 10_000} %`,
    asked: `at most ${term.atMostMs} ms`,
    measured: measured === null ? 'nothing to measure' : `${measured.toFixed(1)} ms`,
    passed: measured !== null && measured <= term.atMostMs,
  }
}

const percent = (ppm: number): string => `${(ppm / 10_000).toFixed(3)} %`

function atLeast(name: string, ppm: number, askedPpm: number): Judgement {
  return { name, asked: `at least ${percent(askedPpm)}`, measured: percent(ppm), passed: ppm >= askedPpm }
}

function within(name: string, part: number | null, limitPpm: number): Judgement {
  const measured = part === null ? 'too few windows' : percent(part * 1_000_000)
  return {
    name,
    asked: `at most ${percent(limitPpm)}`,
    measured,
    passed: part !== null && part * 1_000_000 <= limitPpm,
  }
}

function sum(samples: readonly Sample[], name: 'askedTokens' | 'outputTokens'): number {
  return samples.reduce((total, each) => total + each[name], 0)
}

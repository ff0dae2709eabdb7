import type { Contestant } from './contestant.ts'
import type { Report } from './jobs.ts'
import { cpuMicroseconds, pssKib, quantile } from './measure.ts'
import type { Load } from './processes.ts'

/** How long and how hard; `--quick` shrinks it. */
export interface Scale {
  readonly rounds: number
  readonly wholeMs: number
  readonly streamMs: number
  readonly latencyMs: number
  readonly openStreams: number
  readonly flatRequests: number
}

/** What one round measured of one contestant; a section that was not run leaves nothing. */
export interface Sample {
  requestsPerSecond?: number
  cpuPerRequest?: number
  cpuBehindPerRequest?: number
  eventsPerSecond?: number
  cpuPerEvent?: number
  cpuBehindPerEvent?: number
  p50Ms?: number
  p99Ms?: number
  lateMs?: number
  kibPerStream?: number
  growthMib?: number
  twoWorkersFactor?: number
}

/** Connections of the closed loop without streaming, and streams under way in the closed loop with streaming. */
const WHOLE_CONNECTIONS = 64
const STREAM_CONNECTIONS = 256
const STREAM_PACE_MS = 20
const LATENCY_RATE = 1000

/** Broken answers must not be timed: any failure ends the benchmark. */
export class WrongAnswers extends Error {
  override readonly name = 'WrongAnswers'
}

function trusted(contestant: Contestant, section: string, report: Report): Report {
  if (report.failures > 0 || report.requests === 0) {
    const reasons = report.reasons.join(' | ') || 'no request finished'
    throw new WrongAnswers(
      `${contestant.name}, ${section}: ${report.failures} of ${report.requests} answers are wrong: ${reasons}`,
    )
  }
  return report
}

/** Runs `work` and tells how much CPU the contestant took meanwhile, in microseconds. */
async function costOf<T>(
  contestant: Contestant,
  work: () => Promise<T>,
): Promise<{ result: T; cpu: number; behind: number }> {
  const pids = contestant.gatewayPids()
  const behindPids = contestant.behindPids()
  const [before, behindBefore] = [cpuMicroseconds(pids), cpuMicroseconds(behindPids)]
  const result = await work()
  return { result, cpu: cpuMicroseconds(pids) - before, behind: cpuMicroseconds(behindPids) - behindBefore }
}

export async function wholeAnswers(contestant: Contestant, load: Load, durationMs: number): Promise<Sample> {
  const { result, cpu, behind } = await costOf(contestant, () =>
    load.run({
      kind: 'closed',
      target: contestant.target,
      stream: false,
      paceMs: 0,
      connections: WHOLE_CONNECTIONS,
      durationMs,
    }),
  )
  const { requests, elapsedMs } = trusted(contestant, 'whole answers', result)
  return {
    requestsPerSecond: (requests / elapsedMs) * 1000,
    cpuPerRequest: cpu / requests,
    cpuBehindPerRequest: behind / requests,
  }
}

/** Every event comes alone, as a model makes it: the mock supplier paces it, so that nobody is helped by coalescing. */
export async function pacedStreams(contestant: Contestant, load: Load, durationMs: number): Promise<Sample> {
  const connections = contestant.slow ? STREAM_CONNECTIONS / 4 : STREAM_CONNECTIONS
  const { result, cpu, behind } = await costOf(contestant, () =>
    load.run({
      kind: 'closed',
      target: contestant.target,
      stream: true,
      paceMs: STREAM_PACE_MS,
      connections,
      durationMs,
    }),
  )
  const { events } = trusted(contestant, 'paced streams', result)
  return { cpuPerEvent: cpu / events, cpuBehindPerEvent: behind / events }
}

/** As many events as go through when the supplier never waits. */
export async function fastStreams(contestant: Contestant, load: Load, durationMs: number): Promise<Sample> {
  const { result } = await costOf(contestant, () =>
    load.run({
      kind: 'closed',
      target: contestant.target,
      stream: true,
      paceMs: 0,
      connections: WHOLE_CONNECTIONS,
      durationMs,
    }),
  )
  const { events, elapsedMs } = trusted(contestant, 'fast streams', result)
  return { eventsPerSecond: (events / elapsedMs) * 1000 }
}

export async function latency(contestant: Contestant, load: Load, durationMs: number): Promise<Sample> {
  const ratePerSecond = contestant.slow ? LATENCY_RATE / 10 : LATENCY_RATE
  const report = await load.run({
    kind: 'open',
    target: contestant.target,
    ratePerSecond,
    durationMs,
    connections: WHOLE_CONNECTIONS,
  })
  const { latenciesMs, lateMs } = trusted(contestant, 'latency', report)
  return { p50Ms: quantile(latenciesMs, 0.5), p99Ms: quantile(latenciesMs, 0.99), lateMs }
}

/**
 * Memory per open stream: what the gateway's processes hold with them open, minus without. It comes first of all sections, after a
 * warm-up of a tenth of the streams, because garbage of heavier work, collected meanwhile, would be counted in the stream's favour.
 */
export async function openStreams(contestant: Contestant, load: Load, streams: number): Promise<Sample> {
  const open = async (count: number): Promise<void> => {
    trusted(
      contestant,
      'open streams',
      await load.run({ kind: 'hold', target: contestant.target, streams: count, paceMs: 1000 }),
    )
  }
  await open(Math.ceil(streams / 10))
  await load.run({ kind: 'release' })
  const idle = await settledPss(contestant)
  await open(streams)
  const busy = await settledPss(contestant)
  await load.run({ kind: 'release' })
  return { kibPerStream: (busy - idle) / streams }
}

/** The least of several looks: what stays when passing garbage is gone. */
async function settledPss(contestant: Contestant): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let look = 0; look < 10; look++) {
    await new Promise((resolve) => setTimeout(resolve, 500))
    least = Math.min(least, pssKib(contestant.gatewayPids()))
  }
  return least
}

export interface LongRun {
  /** PSS after each tenth of the requests, once the backlog was handed over, so that equal states are compared. */
  readonly mib: readonly number[]
  /** The largest backlog seen at the end of a tenth: how far serving ran ahead of what comes behind it. */
  readonly peakBacklog: number
}

const HAND_OVER_MS = 120_000

export async function longRun(contestant: Contestant, load: Load, requests: number): Promise<LongRun> {
  const mib: number[] = []
  let peakBacklog = 0
  for (let part = 0; part < 10; part++) {
    const job = {
      kind: 'closed',
      target: contestant.target,
      stream: false,
      paceMs: 0,
      connections: WHOLE_CONNECTIONS,
    } as const
    const report = await load.run({ ...job, durationMs: 600_000, requests: Math.ceil(requests / 10) })
    trusted(contestant, 'long run', report)
    peakBacklog = Math.max(peakBacklog, await contestant.backlog())
    await handedOver(contestant)
    mib.push(pssKib(contestant.gatewayPids()) / 1024)
  }
  return { mib, peakBacklog }
}

async function handedOver(contestant: Contestant): Promise<void> {
  const until = performance.now() + HAND_OVER_MS
  while ((await contestant.backlog()) > 0) {
    if (performance.now() > until) throw new WrongAnswers(`${contestant.name}: its backlog is not handed over`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

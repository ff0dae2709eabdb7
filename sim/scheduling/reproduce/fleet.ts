import { createAgenda } from '../agenda.ts'
import { createDecodePool } from '../decode-pool.ts'
import type { DecodePool, Stream } from '../decode-pool.ts'
import { exponential, normalFrom, stream } from '../random.ts'
import { quantile } from '../measures.ts'

/** What a client may know of a server when it probes it. */
export interface Probe {
  readonly server: number
  readonly inFlight: number
  readonly latencyMs: number
}

/** Chooses one of the probed servers; `turn` counts queries. */
export type FleetRule = (probes: readonly Probe[], turn: number) => number

export interface FleetShape {
  readonly servers: number
  /** Demand in times of what is allotted to all servers together. */
  readonly load: number
  /** What a server can do beyond its allotment, drawn anew for each of them every second (antagonists on its machine). */
  readonly speedOf: (uniform: number, server: number) => number
  readonly queries: number
  readonly seed: number
}

interface Query {
  readonly server: number
  readonly beganMs: number
  /** At its server, with itself. */
  readonly inFlight: number
}

export const TIMEOUT_MS = 5_000
const WORK_MS = 80
const PROBES = 5
/** Work varies as much as its mean: fewer answers would tell of the work and not of the server. */
const KEPT = 32

/**
 * Servers that share their processor between all queries they have, as Prequal (NSDI '24) models them: work with a deviation as large as
 * its mean, neighbours that take away what is not allotted, and a time-out of five seconds. Gives latencies, ascending.
 */
export function runFleet(rule: FleetRule, { servers, load, speedOf, queries, seed }: FleetShape): Float64Array {
  const agenda = createAgenda()
  const [gaps, work, probing, antagonists] = ['gaps', 'work', 'probing', 'antagonists'].map((each) =>
    stream(seed, each),
  )
  const latencies = new Float64Array(queries)
  const recent: number[][] = Array.from({ length: servers }, () => [])
  let ended = 0
  const end = ({ server, beganMs, inFlight }: Query, isLate: boolean): void => {
    const ms = isLate ? TIMEOUT_MS : agenda.nowMs - beganMs
    latencies[ended++] = ms
    const own = recent[server]!
    own.push(ms / inFlight)
    if (own.length > KEPT) own.shift()
  }
  const pools: DecodePool<Query>[] = Array.from({ length: servers }, () =>
    createDecodePool<Query>(agenda, { alphaMs: 0, deltaMs: 1 }, (query) => end(query, false)),
  )
  const shuffle = (): void => {
    pools.forEach((pool, server) => pool.slow(1 / speedOf(antagonists!(), server)))
    if (ended < queries) agenda.at(agenda.nowMs + 1_000, shuffle, undefined)
  }
  const giveUp = ({ stream: waiting, pool }: { stream: Stream<Query>; pool: DecodePool<Query> }): void => {
    if (waiting.isGone) return
    pool.leave(waiting)
    end(waiting.owner, true)
  }
  const arrive = (turn: number): void => {
    if (turn + 1 < queries) agenda.at(agenda.nowMs + exponential(gaps!, WORK_MS / (servers * load)), arrive, turn + 1)
    const probes = Array.from({ length: PROBES }, (): Probe => {
      const server = Math.floor(probing!() * servers)
      const inFlight = pools[server]!.streams
      // What it would be with so many in flight, from what it was with others.
      return { server, inFlight, latencyMs: (inFlight + 1) * medianOf(recent[server]!) }
    })
    const server = rule(probes, turn)
    const workMs = Math.max(1, WORK_MS * (1 + normalFrom(work!(), work!())))
    const pool = pools[server]!
    const query = { server, beganMs: agenda.nowMs, inFlight: pool.streams + 1 }
    agenda.at(agenda.nowMs + TIMEOUT_MS, giveUp, { stream: pool.join(query, workMs), pool })
  }
  agenda.at(0, shuffle, undefined)
  agenda.at(0, arrive, 0)
  agenda.run()
  return latencies.sort()
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0
}

/** Hot above this quantile of what probes saw lately; the fastest cold one, or the least loaded when all are hot. */
export function hotCold(part: number): FleetRule {
  const seen: number[] = []
  return (probes) => {
    for (const { inFlight } of probes) seen.push(inFlight)
    if (seen.length > 128) seen.splice(0, seen.length - 128)
    const threshold =
      part <= 0
        ? -1
        : seen.toSorted((one, other) => one - other)[Math.min(seen.length - 1, Math.floor(part * seen.length))]!
    const cold = probes.filter(({ inFlight }) => inFlight <= threshold)
    return cold.length > 0 ? lowest(cold, ({ latencyMs }) => latencyMs) : lowest(probes, ({ inFlight }) => inFlight)
  }
}

/** Half latency, half requests in flight, one of them weighing as much as a usual answer. */
export const linearMix: FleetRule = (probes) =>
  lowest(probes, ({ latencyMs, inFlight }) => 0.5 * latencyMs + 0.5 * WORK_MS * inFlight)

/** Weights by goodput over processor time are equal here: a query costs the same everywhere. */
export const weightedRoundRobin =
  (servers: number): FleetRule =>
  (_, turn) =>
    turn % servers

function lowest(probes: readonly Probe[], costOf: (probe: Probe) => number): number {
  let best = probes[0]!
  for (const probe of probes) if (costOf(probe) < costOf(best)) best = probe
  return best.server
}

export const p99 = (latencies: Float64Array): number => quantile(latencies, 0.99)
export const p999 = (latencies: Float64Array): number => quantile(latencies, 0.999)

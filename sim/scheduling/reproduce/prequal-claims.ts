import { seconds } from './claim.ts'
import type { Claim } from './claim.ts'
import { TIMEOUT_MS, hotCold, linearMix, p99, p999, runFleet, weightedRoundRobin } from './fleet.ts'
import type { FleetRule } from './fleet.ts'

const SERVERS = 100
const QUERIES = 30_000
const LOADS = [0.75, 0.93, 1.03, 1.27, 1.5, 1.74]
const Q_RIF = 0.84

/** One machine in five has neighbours that take all but what is allotted; the others leave up to twice as much again. */
const neighbours = (uniform: number): number => (uniform < 0.2 ? 1 : 1 + 2 * uniform)

export const rampClaim: Claim = {
  row: 3,
  title: 'Prequal: a ramp from 0.75 to 1.74 times what is allotted, 100 servers with neighbours',
  passIf:
    'p99.9 of round robin at the time-out (5 s) from 1.03 times on; of HCL below it up to 1.5 times, never falling by less',
  check() {
    const at = (rule: FleetRule, load: number) =>
      p999(runFleet(rule, { servers: SERVERS, load, speedOf: machine, queries: QUERIES, seed: 1 }))
    const robin = LOADS.map((load) => at(weightedRoundRobin(SERVERS), load))
    const hcl = LOADS.map((load) => at(hotCold(Q_RIF), load))
    const isPinned = LOADS.every((load, i) => load < 1.03 || robin[i]! >= TIMEOUT_MS)
    const isGraceful = LOADS.every((load, i) => load > 1.5 || hcl[i]! < TIMEOUT_MS)
    return {
      passed: isPinned && isGraceful,
      found: LOADS.map((load, i) => `${load}: ${seconds(robin[i]!)} against ${seconds(hcl[i]!)}`).join(', '),
    }
  },
}

/** Neighbours stay where they are: some machines are always crowded. */
function machine(uniform: number, server: number): number {
  return server % 5 === 0 ? 1 : neighbours(0.2 + 0.8 * uniform)
}

/** Every other server twice as fast as the rest. */
const fastAndSlow = (uniform: number, server: number): number => (server % 2 === 0 ? 1.8 : 0.9) * (0.9 + 0.2 * uniform)

export const quantileClaim: Claim = {
  row: 4,
  title: 'Prequal: HCL against load alone and against a linear mix, servers of two speeds',
  passIf:
    'the p99 of the best of Q_RIF 0.84 and 0.9 is below that of load alone (0), of latency alone (1) and of the linear mix',
  check() {
    const shape = { servers: SERVERS, load: 1.05, speedOf: fastAndSlow, queries: 20_000, seed: 2 }
    const rules: readonly (readonly [string, FleetRule])[] = [
      ['load alone', hotCold(0)],
      ['Q 0.5', hotCold(0.5)],
      ['Q 0.84', hotCold(0.84)],
      ['Q 0.9', hotCold(0.9)],
      ['latency alone', hotCold(1)],
      ['linear', linearMix],
    ]
    const found = rules.map(([name, rule]) => [name, p99(runFleet(rule, shape))] as const)
    const of = (name: string) => found.find(([each]) => each === name)![1]
    const best = Math.min(of('Q 0.84'), of('Q 0.9'))
    return {
      passed: best < of('load alone') && best < of('latency alone') && best < of('linear'),
      found: found.map(([name, ms]) => `${name} ${seconds(ms)}`).join(', '),
    }
  },
}

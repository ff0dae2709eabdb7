import { createFlowControl } from '#admission'
import type { Turn } from '#admission'
import { stream } from '../random.ts'
import type { Draw } from '../random.ts'
import { percent } from './claim.ts'
import type { Claim } from './claim.ts'

/** Requests of VTC's setting: 64 to 512 tokens in, 32 to 384 out; an engine that writes a token a step to each, M tokens at once. */
interface Job {
  readonly tenant: number
  readonly inputTokens: number
  readonly outputTokens: number
  written: number
}

const INPUT_WEIGHT = 1
const OUTPUT_WEIGHT = 2
const FOR_EVER = 1e12
/** How many requests each tenant keeps waiting; the greedy one sends three times as often. */
const BACKLOG = [48, 16] as const

interface Episode {
  /** Most that one of the two was ever ahead while both were waiting, in weighted tokens. */
  readonly gap: number
  /** Part of all service from `fromStep` on that the second tenant had. */
  readonly share: number
}

/** Our own queue, or first come first served. The second tenant has nothing to ask until `quietSteps`. */
function serve(order: 'ours' | 'fcfs', most: number, steps: number, quietSteps = 0): Episode {
  const draw = stream(1, 'jobs')
  const flow = createFlowControl<Job>()
  const line: Job[] = []
  const running = new Map<Job, Turn<Job> | undefined>()
  const turns = new Map<Job, Turn<Job>>()
  const waiting = [0, 0]
  const served = [0, 0]
  const servedAtReturn = [0, 0]
  let inUse = 0
  let gap = 0

  const tryStart = (job: Job): boolean => {
    if (inUse + job.inputTokens + job.outputTokens > most) return false
    inUse += job.inputTokens + job.outputTokens
    waiting[job.tenant]!--
    served[job.tenant]! += INPUT_WEIGHT * job.inputTokens
    running.set(job, turns.get(job))
    return true
  }
  for (let step = 0; step < steps; step++) {
    for (const tenant of [0, 1]) {
      while ((tenant === 0 || step >= quietSteps) && waiting[tenant]! < BACKLOG[tenant]!) {
        const job = jobOf(tenant, draw)
        waiting[tenant]!++
        line.push(job)
        if (order === 'ours') enqueue(flow, turns, job, step)
      }
    }
    if (order === 'ours') flow.pump(step, tryStart)
    else while (line.length > 0 && tryStart(line[0]!)) line.shift()
    if (step === quietSteps) served.forEach((cost, tenant) => (servedAtReturn[tenant] = cost))
    for (const [job, turn] of running) {
      job.written++
      served[job.tenant]! += OUTPUT_WEIGHT
      if (turn) flow.progress(turn, job.written)
      if (job.written < job.outputTokens) continue
      running.delete(job)
      inUse -= job.inputTokens + job.outputTokens
      if (turn)
        flow.end(turn, {
          uncachedInput: job.inputTokens,
          cacheWrite: 0,
          cacheRead: 0,
          output: job.outputTokens,
          reasoning: 0,
        })
    }
    if (quietSteps === 0) gap = Math.max(gap, Math.abs(served[0]! - served[1]!))
  }
  const since = served.map((cost, tenant) => cost - servedAtReturn[tenant]!)
  return { gap, share: since[1]! / (since[0]! + since[1]!) }
}

function jobOf(tenant: number, draw: Draw): Job {
  return {
    tenant,
    inputTokens: 64 + Math.floor(draw() * 449),
    outputTokens: 32 + Math.floor(draw() * 353),
    written: 0,
  }
}

function enqueue(
  flow: ReturnType<typeof createFlowControl<Job>>,
  turns: Map<Job, Turn<Job>>,
  job: Job,
  step: number,
): void {
  const turn = flow.turn(
    {
      service: 'sim',
      tier: 'standard',
      tenant: String(job.tenant),
      weight: 1,
      inputTokens: job.inputTokens,
      bytes: 1,
      deadlineMs: FOR_EVER,
      patienceMs: FOR_EVER,
    },
    job,
  )
  turns.set(job, turn)
  flow.wait(turn, 'all', step)
}

const M = 8_192

export const vtcClaim: Claim = {
  row: 1,
  title: 'VTC: two tenants that always wait stay within 2 · w_out · M of each other; who returns gets half, not all',
  passIf: 'gap ≤ 32,768 with our queue, above it first come first served; share on return 45 to 55 %',
  check() {
    const [fair, fcfs] = [serve('ours', M, 8_000), serve('fcfs', M, 8_000)]
    const [back, backFcfs] = [serve('ours', M, 4_000, 2_000), serve('fcfs', M, 4_000, 2_000)]
    const bound = 2 * OUTPUT_WEIGHT * M
    return {
      passed: fair.gap <= bound && fcfs.gap > bound && back.share > 0.45 && back.share < 0.55,
      found: `gap ${Math.round(fair.gap)} (first come first served ${Math.round(fcfs.gap)}), share on return ${percent(back.share)} (${percent(backFcfs.share)})`,
    }
  },
}

export const driftClaim: Claim = {
  row: 2,
  title: 'VTC: the gap grows with M, tokens in flight, and not with time',
  passIf:
    'for M of 2k to 32k: gap ≤ 4 M each, the gap at 32k at least four times that at 2k, twice the time adds less than a tenth of the bound',
  check() {
    const sizes = [2_048, 8_192, 32_768]
    const gaps = sizes.map((size) => serve('ours', size, 6_000).gap)
    const longer = serve('ours', M, 12_000).gap
    const isBounded = gaps.every((gap, i) => gap <= 4 * sizes[i]!)
    return {
      passed: isBounded && gaps[2]! >= 4 * gaps[0]! && longer - gaps[1]! < 0.4 * M,
      found: `${sizes.map((size, i) => `M ${size}: ${Math.round(gaps[i]!)}`).join(', ')}; twice as long ${Math.round(longer)}`,
    }
  },
}

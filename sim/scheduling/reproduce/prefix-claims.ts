import { join } from 'node:path'
import { policyOf } from '../policies/index.ts'
import { exponential, stream } from '../random.ts'
import { readTrace } from '../traces.ts'
import { faster, workloadOf } from '../workload.ts'
import type { Row, Workload } from '../workload.ts'
import { percent, seconds } from './claim.ts'
import type { Claim } from './claim.ts'
import { shorterOfTwo } from './queue-claim.ts'
import { makespanSeconds, meanTtftMs, replicas, run } from './replicas.ts'

/** Requests in groups that share a long beginning, more of it than one engine can keep. */
function sharedPrefixes(groups: number, prefixBlocks: number, count: number, perSecond: number): Workload {
  const [gaps, who] = [stream(1, 'gaps'), stream(1, 'groups')]
  let atMs = 0
  const rows = Array.from({ length: count }, (_, i): Row => {
    atMs += exponential(gaps, 1_000 / perSecond)
    const group = Math.floor(who() * groups)
    const shared = Array.from({ length: prefixBlocks }, (__, depth) => 1_000_000 + group * 100 + depth)
    return { arrivalMs: atMs, inputTokens: (prefixBlocks + 1) * 512, outputTokens: 100, blocks: [...shared, i] }
  })
  return workloadOf('shared prefixes', rows)
}

/** Conversations whose every turn begins with all that was said before. */
function conversations(many: number, turns: number, perSecond: number): Workload {
  const [gaps, who] = [stream(2, 'gaps'), stream(2, 'conversations')]
  const turn = new Int32Array(many)
  let atMs = 0
  const rows = Array.from({ length: many * turns }, (): Row => {
    atMs += exponential(gaps, 1_000 / perSecond)
    const which = Math.floor(who() * many)
    const depth = 4 + 2 * (turn[which]!++ % (2 * turns))
    const blocks = Array.from({ length: depth }, (_, at) => 1_000_000 + which * 1_000 + at)
    return { arrivalMs: atMs, inputTokens: depth * 512 + 64, outputTokens: 60, blocks }
  })
  return workloadOf('conversations', rows)
}

export const cacheAwareClaim: Claim = {
  row: 6,
  title: 'SGLang: cache-aware routing against round robin, 8 workers, shared prefixes',
  passIf: 'throughput × 1.5 and hit rate × 3',
  check() {
    const workload = sharedPrefixes(120, 16, 4_000, 60)
    const market = replicas(8, { cacheBlocks: 500 })
    const [aware, robin] = ['smg', 'round-robin'].map((name) => run(workload, market, policyOf(name)))
    const speedUp = makespanSeconds(robin!.tally) / makespanSeconds(aware!.tally)
    const hits = aware!.measures.hitRate / robin!.measures.hitRate
    const rates = `hit rate ${percent(aware!.measures.hitRate)} against ${percent(robin!.measures.hitRate)}`
    return { passed: speedUp >= 1.5 && hits >= 3, found: `throughput × ${speedUp.toFixed(2)}, ${rates}` }
  },
}

export const boundedHashClaim: Claim = {
  row: 7,
  title: 'KubeAI: consistent hashing with bounded loads against random, conversations of many turns',
  passIf: 'mean TTFT − 80 % and throughput + 80 %',
  check() {
    const workload = conversations(600, 8, 60)
    const market = replicas(8)
    const [hashed, random] = ['chwbl', 'random'].map((name) => run(workload, market, policyOf(name)))
    const ttft = 1 - meanTtftMs(hashed!.tally) / meanTtftMs(random!.tally)
    const speedUp = makespanSeconds(random!.tally) / makespanSeconds(hashed!.tally) - 1
    return { passed: ttft >= 0.8 && speedUp >= 0.8, found: `TTFT − ${percent(ttft)}, throughput + ${percent(speedUp)}` }
  },
}

export const mooncakeClaim: Claim = {
  row: 10,
  title: 'Mooncake’s conversations on 8 replicas: work and prefix together beat either',
  passIf: 'in time (2 s): Dynamo ≥ llm-d and smg (± 1 point) > CHWBL > P2C > round robin, within 1 point',
  check(traces) {
    const trace = faster(readTrace(join(traces, 'mooncake_conversation_trace.jsonl')), 2)
    // Reading alone, as the setting has it.
    const workload = { ...trace, outputTokens: trace.outputTokens.map(() => 1) }
    const market = replicas(8)
    const kinds = [
      ...['dynamo', 'llm-d', 'smg', 'chwbl'].map(policyOf),
      shorterOfTwo,
      policyOf('round-robin'),
      policyOf('ours'),
    ]
    const results = kinds.map((kind) => ({ kind, ...run(workload, market, kind).measures }))
    const [dynamo, llmD, smg, chwbl, p2c, robin] = results.map(({ goodput }) => goodput)
    const isOrdered =
      dynamo! >= Math.max(llmD!, smg!) - 0.01 &&
      Math.min(llmD!, smg!) > chwbl! - 0.01 &&
      chwbl! > p2c! - 0.01 &&
      p2c! > robin! - 0.01
    const shown = results.map(
      ({ kind, goodput, hitRate, ttftP50, ttftP99 }) =>
        `${kind.title} ${percent(goodput)} (hit ${percent(hitRate)}, p50 ${seconds(ttftP50)}, p99 ${seconds(ttftP99)})`,
    )
    return { passed: isOrdered, found: shown.join(' · ') }
  },
}

import type { PolicyKind, Question } from '../policy.ts'
import { policyOf } from '../policies/index.ts'
import { quantile, sorted } from '../measures.ts'
import { stream } from '../random.ts'
import { synthetic } from '../synthetic.ts'
import type { Tally } from '../tally.ts'
import { CLASSES, STANDARD } from '../workload.ts'
import { percent, seconds } from './claim.ts'
import type { Claim } from './claim.ts'
import { replicas, run } from './replicas.ts'

const SHEDDABLE = CLASSES.indexOf('batch')
const REPLICAS = 4
const TOKENS_PER_SECOND = 15_928

/** A rule with a gate before it that turns requests away by how many tokens wait to be read, in seconds of the pool's work. */
function gated(kind: PolicyKind, refuses: (waitSeconds: number, question: Question) => boolean): PolicyKind {
  return {
    name: `${kind.name} gated`,
    title: `${kind.title}, gated`,
    make(around) {
      const policy = kind.make(around)
      const waiting = new Set<object>()
      let tokens = 0
      const read = (attempt: object, inputTokens: number): void => {
        if (waiting.delete(attempt)) tokens -= inputTokens
      }
      return {
        ...policy,
        pick: (question) => (refuses(tokens / (REPLICAS * TOKENS_PER_SECOND), question) ? -1 : policy.pick(question)),
        began(attempt) {
          waiting.add(attempt)
          tokens += attempt.question.inputTokens
          policy.began(attempt)
        },
        firstToken(attempt, ms, nowMs) {
          read(attempt, attempt.question.inputTokens)
          policy.firstToken(attempt, ms, nowMs)
        },
        ended(attempt, ending) {
          read(attempt, attempt.question.inputTokens)
          policy.ended(attempt, ending)
        },
      }
    },
  }
}

/** So many times what the replicas can read, half of it critical. */
function overload(times: number) {
  const meanInput = 2_000
  const perSecond = (times * REPLICAS * TOKENS_PER_SECOND) / meanInput
  const workload = synthetic(5, { count: 6_000, perSecond, meanInput, meanOutput: 50 })
  const draw = stream(5, 'classes')
  return { ...workload, slaClass: workload.slaClass.map(() => (draw() < 0.5 ? STANDARD : SHEDDABLE)) }
}

function p99Of({ ttftMs, workload }: Tally, slaClass?: number): number {
  return quantile(sorted(ttftMs.filter((_, i) => slaClass === undefined || workload.slaClass[i] === slaClass)), 0.99)
}

export const sheddingClaim: Claim = {
  row: 8,
  title: 'llm-d: shedding sheddable requests with p = min(300 · sat⁵, 1), half and half, at 1.2 times capacity',
  passIf: 'p99 TTFT of critical requests − 50 %, goodput no more than 20 % lower',
  check() {
    const workload = overload(1.2)
    const draw = stream(6, 'shedding')
    const market = replicas(REPLICAS)
    const least = policyOf('least-in-flight')
    const shedding = gated(
      least,
      // Full at one promised time to first token's worth of work.
      (wait, { slaClass }) => slaClass === SHEDDABLE && draw() < Math.min(1, 300 * Math.min(1, wait / 2) ** 5),
    )
    const [plain, shed] = [run(workload, market, least), run(workload, market, shedding)]
    const cut = 1 - p99Of(shed.tally, STANDARD) / p99Of(plain.tally, STANDARD)
    const lost = 1 - shed.measures.goodput / plain.measures.goodput
    const p99 = `${seconds(p99Of(plain.tally, STANDARD))} → ${seconds(p99Of(shed.tally, STANDARD))}`
    return {
      passed: cut >= 0.5 && lost <= 0.2,
      found: `critical p99 ${p99} (− ${percent(cut)}); good of offered ${percent(plain.measures.goodput)} → ${percent(shed.measures.goodput)}`,
    }
  },
}

export const refusalsClaim: Claim = {
  row: 11,
  title: '“Latency is low” because of 503s: Dynamo’s cost with shedding at 1.1 times capacity',
  passIf:
    'p99 TTFT of those let in halves while at least one in twenty is refused, and good/offered shows it: it stays below the part let in',
  check() {
    const workload = overload(1.1)
    const market = replicas(REPLICAS)
    const dynamo = policyOf('dynamo')
    const [plain, shed] = [
      run(workload, market, dynamo),
      run(
        workload,
        market,
        gated(dynamo, (wait) => wait > 1),
      ),
    ]
    const [before, after] = [p99Of(plain.tally), p99Of(shed.tally)]
    return {
      passed: after <= before / 2 && shed.measures.shed >= 0.05 && shed.measures.goodput <= 1 - shed.measures.shed,
      found: `p99 of those let in ${seconds(before)} → ${seconds(after)}, refused ${percent(shed.measures.shed)}, good of offered ${percent(plain.measures.goodput)} → ${percent(shed.measures.goodput)}`,
    }
  },
}

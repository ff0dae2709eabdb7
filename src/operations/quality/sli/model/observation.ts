import type { Attempt, AttemptOutcome, UsageRecord } from '#contract'

/** Two sides of one request: what we gave a customer, and what each supplier that was asked gave us. */
export type Leg = 'customer' | 'supplier'

export interface Observation {
  readonly leg: Leg
  /** The tenant, or the supplier. */
  readonly party: string
  readonly service: string
  readonly tier: string
  readonly request: string
  readonly atMs: number
  /** `excluded`: no fault of who served, whatever the rate: a request that was wrong, our own credentials, a lost race. */
  readonly outcome: 'good' | 'bad' | 'excluded'
  /** Of streams only. Milliseconds to the thousandth, so that a file says exactly what was judged. */
  readonly ttftMs: number | null
  readonly tpotMs: number | null
  /** The asker left before anything came, after so long. */
  readonly leftAfterMs: number | null
  /** Without tax. */
  readonly netPico: bigint
  readonly taxPico: bigint
}

const OURS: ReadonlySet<AttemptOutcome> = new Set(['status_4xx', 'refused', 'lost_race', 'displaced', 'diverged'])
const thousandth = (ms: number): number => Math.round(ms * 1000) / 1000

export function observationsOf(record: UsageRecord): Observation[] {
  return [customerSide(record), ...record.attempts.map((_, at) => supplierSide(record, at))]
}

function customerSide(record: UsageRecord): Observation {
  const { ending, attempts, stream, ttftMs, durationMs, tokens } = record
  const wasWrong = ending === 'failed' && attempts.at(-1)?.outcome === 'status_4xx'
  const outcome = wasWrong ? 'excluded' : ending === 'completed' || ending === 'client_closed' ? 'good' : 'bad'
  return {
    leg: 'customer',
    party: record.tenant,
    ...shared(record),
    atMs: record.acceptedAtMs,
    outcome,
    ttftMs: stream && ttftMs !== null ? thousandth(ttftMs) : null,
    tpotMs:
      stream && ttftMs !== null && ending === 'completed'
        ? paceMs(durationMs - ttftMs, tokens.output + tokens.reasoning)
        : null,
    leftAfterMs: ending === 'client_closed' && ttftMs === null ? thousandth(durationMs) : null,
    netPico: BigInt(record.sellPico) - BigInt(record.taxPico),
    taxPico: BigInt(record.taxPico),
  }
}

function supplierSide(record: UsageRecord, at: number): Observation {
  const attempt = record.attempts[at] as Attempt
  const isFinal = at === record.attempts.length - 1
  const { outcome, startMs, endMs } = attempt
  const first = attempt.firstTokenMs ?? (isFinal ? record.ttftMs : null)
  const used = attempt.tokens ?? (isFinal ? record.tokens : undefined)
  const tokens = used ? used.output + used.reasoning : 0
  const waited = first === null ? null : first - startMs
  const own = BigInt(attempt.buyPico ?? 0) + (isFinal ? BigInt(record.buyPico) : 0n)
  return {
    leg: 'supplier',
    party: attempt.supplier,
    ...shared(record),
    atMs: record.acceptedAtMs + Math.floor(startMs),
    outcome: OURS.has(outcome) ? 'excluded' : outcome === 'served' || outcome === 'client_closed' ? 'good' : 'bad',
    ttftMs: record.stream && waited !== null ? thousandth(waited) : null,
    tpotMs: record.stream && first !== null && outcome === 'served' ? paceMs(endMs - first, tokens) : null,
    leftAfterMs: outcome === 'client_closed' && first === null ? thousandth(endMs - startMs) : null,
    netPico: own,
    taxPico: 0n,
  }
}

const shared = ({ id, service, tier = 'standard' }: UsageRecord) => ({ request: id, service, tier })

/** Milliseconds per output token after the first: (E2E − TTFT) / (n − 1). One token has no pace. */
function paceMs(ms: number, tokens: number): number | null {
  return tokens < 2 ? null : thousandth(ms / (tokens - 1))
}

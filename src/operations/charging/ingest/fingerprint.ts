import { hash } from 'node:crypto'
import type { UsageRecord } from '#contract'

/** A record as it arrived, with the canonical text that is stored and the SHA-256 (64 hex digits) of that text. */
export interface Arrival {
  readonly record: UsageRecord
  readonly text: string
  readonly contentHash: string
}

export function arrivalOf(record: UsageRecord): Arrival {
  const text = canonicalRecord(record)
  return { record, text, contentHash: contentHashOf(text) }
}

export function contentHashOf(text: string): string {
  return hash('sha256', text, 'hex')
}

/** The canonical JSON of a record, without looking for the order of its keys: five times as fast as `canonicalJson`. */
function canonicalRecord(record: UsageRecord): string {
  return JSON.stringify({
    acceptedAtMs: record.acceptedAtMs,
    attempts: record.attempts.map(
      (attempt) =>
        ({
          buyPico: attempt.buyPico,
          buySheet: attempt.buySheet,
          endMs: attempt.endMs,
          firstTokenMs: attempt.firstTokenMs,
          model: attempt.model,
          outcome: attempt.outcome,
          role: attempt.role,
          startMs: attempt.startMs,
          status: attempt.status,
          supplier: attempt.supplier,
          tokens: attempt.tokens && sortedTokens(attempt.tokens),
        }) satisfies { [Name in keyof Required<UsageRecord['attempts'][number]>]: unknown },
    ),
    basis: record.basis,
    buyPico: record.buyPico,
    buySheet: record.buySheet,
    candidates: record.candidates.map(({ model, score, supplier, verdict }) => ({
      model,
      score: score && sortedScore(score),
      supplier,
      verdict,
    })),
    completedAtMs: record.completedAtMs,
    counted: record.counted && {
      input: record.counted.input,
      method: record.counted.method,
      output: record.counted.output,
    },
    draws: record.draws?.map(({ amount, bucket, covered, held, kind, slice, version }) => ({
      amount,
      bucket,
      covered: covered && sortedTokens(covered),
      held,
      kind,
      slice,
      version,
    })),
    durationMs: record.durationMs,
    ending: record.ending,
    epoch: record.epoch,
    finishReason: record.finishReason,
    gateway: record.gateway,
    holdPico: record.holdPico,
    id: record.id,
    key: record.key,
    model: record.model,
    note: record.note,
    payer: record.payer,
    reported: record.reported && sortedTokens(record.reported),
    sellPico: record.sellPico,
    sellSheet: record.sellSheet,
    service: record.service,
    slice: record.slice,
    status: record.status,
    stream: record.stream,
    supplier: record.supplier,
    taxPico: record.taxPico,
    tenant: record.tenant,
    tier: record.tier,
    tokens: sortedTokens(record.tokens),
    ttftMs: record.ttftMs,
  } satisfies { [Name in keyof Required<UsageRecord>]: unknown })
}

type Score = NonNullable<UsageRecord['candidates'][number]['score']>

function sortedScore(score: Score): { [Name in keyof Score]: number } {
  const { affinity, commitment, miss, missProbability, network, price, total } = score
  return { affinity, commitment, miss, missProbability, network, price, total }
}

function sortedTokens({ cacheRead, cacheWrite, output, reasoning, uncachedInput }: UsageRecord['tokens']) {
  return { cacheRead, cacheWrite, output, reasoning, uncachedInput }
}

/** JSON with sorted keys and no spaces: whatever order the keys are kept in, the text and its hash are the same. */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
      // As JSON.stringify writes it, at a third of the cost: half of a record is numbers.
      return Number.isFinite(value) ? `${value === 0 ? 0 : value}` : 'null'
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      if (value === null) return 'null'
      return Array.isArray(value) ? canonicalList(value) : canonicalObject(value as Record<string, unknown>)
    default:
      return 'null'
  }
}

function canonicalList(values: readonly unknown[]): string {
  let text = ''
  for (const value of values) text += text === '' ? canonicalJson(value) : `,${canonicalJson(value)}`
  return `[${text}]`
}

function canonicalObject(object: Record<string, unknown>): string {
  let text = ''
  for (const key of Object.keys(object).sort()) {
    const value = object[key]
    if (value !== undefined) text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(value)}`
  }
  return `{${text}}`
}

/** PostgreSQL refuses NUL and halves of surrogate pairs, and one such record must not make a whole batch fail. */
export function isStorable(text: string): boolean {
  return !text.includes('\\u') || !/(?:^|[^\\])(?:\\\\)*\\u(?:0000|d[89a-f])/.test(text)
}

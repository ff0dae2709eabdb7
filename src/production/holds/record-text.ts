import type { Attempt, UsageRecord } from '#contract'
import type { TokenCounts } from '#kernel'

/** Nearly every record is far below this; a longer one is written the ordinary way. */
export const USUAL_RECORD_BYTES = 8_192

/**
 * Writes a usage record as JSON to `target` from `from` on and returns where it ends, or -1 where it does not fit. It is what
 * `JSON.stringify` would say, member by member in a fixed order: one is written per request, and letter by letter into the place
 * where it is kept it leaves nothing for the garbage collector. Every part returns where it ends: a place kept in a variable of the
 * module would make each letter three times as dear.
 */
export function writeRecord(record: UsageRecord, target: Buffer, from: number): number {
  let at = from
  at = put(target, at, '{"id":')
  at = putText(target, at, record.id)
  at = put(target, at, ',"gateway":')
  at = putText(target, at, record.gateway)
  at = put(target, at, ',"epoch":')
  at = putNumber(target, at, record.epoch)
  at = put(target, at, ',"slice":')
  at = putText(target, at, record.slice)
  at = put(target, at, ',"tenant":')
  at = putText(target, at, record.tenant)
  at = put(target, at, ',"key":')
  at = putText(target, at, record.key)
  at = put(target, at, ',"service":')
  at = putText(target, at, record.service)
  at = put(target, at, ',"supplier":')
  at = putText(target, at, record.supplier)
  at = put(target, at, ',"model":')
  at = putText(target, at, record.model)
  at = put(target, at, record.stream ? ',"stream":true,"ending":' : ',"stream":false,"ending":')
  at = putText(target, at, record.ending)
  at = put(target, at, ',"finishReason":')
  at = putText(target, at, record.finishReason)
  at = put(target, at, ',"status":')
  at = putNumber(target, at, record.status)
  at = put(target, at, ',"acceptedAtMs":')
  at = putNumber(target, at, record.acceptedAtMs)
  at = put(target, at, ',"completedAtMs":')
  at = putNumber(target, at, record.completedAtMs)
  at = put(target, at, ',"ttftMs":')
  at = putNumber(target, at, record.ttftMs)
  at = put(target, at, ',"durationMs":')
  at = putNumber(target, at, record.durationMs)
  at = putUsage(target, at, record)
  at = putMoney(target, at, record)
  at = putPayment(target, at, record)
  at = putCandidates(target, at, record.candidates)
  at = putAttempts(target, at, record.attempts)
  at = put(target, at, '}')
  // What lies beyond the end of a buffer was dropped on the way.
  return at <= target.length ? at : -1
}

function putUsage(bytes: Buffer, from: number, { reported, counted, tokens, basis, note }: UsageRecord): number {
  let at = from
  at = put(bytes, at, ',"reported":')
  at = putCounts(bytes, at, reported)
  at = put(bytes, at, ',"counted":')
  if (counted === null) at = put(bytes, at, 'null')
  else at = putJson(bytes, at, counted)
  at = put(bytes, at, ',"tokens":')
  at = putCounts(bytes, at, tokens)
  at = put(bytes, at, ',"basis":')
  at = putText(bytes, at, basis)
  at = put(bytes, at, ',"note":')
  at = putText(bytes, at, note)
  return at
}

function putMoney(bytes: Buffer, from: number, record: UsageRecord): number {
  let at = from
  at = put(bytes, at, ',"holdPico":')
  at = putText(bytes, at, record.holdPico)
  at = put(bytes, at, ',"sellPico":')
  at = putText(bytes, at, record.sellPico)
  at = put(bytes, at, ',"taxPico":')
  at = putText(bytes, at, record.taxPico)
  at = put(bytes, at, ',"buyPico":')
  at = putText(bytes, at, record.buyPico)
  at = put(bytes, at, ',"sellSheet":')
  at = putText(bytes, at, record.sellSheet)
  at = put(bytes, at, ',"buySheet":')
  at = putText(bytes, at, record.buySheet)
  return at
}

function putPayment(bytes: Buffer, from: number, { payer, tier, draws }: UsageRecord): number {
  let at = from
  if (payer !== undefined) {
    at = put(bytes, at, ',"payer":')
    at = putText(bytes, at, payer)
  }
  if (tier !== undefined) {
    at = put(bytes, at, ',"tier":')
    at = putText(bytes, at, tier)
  }
  if (draws === undefined) return at
  at = put(bytes, at, ',"draws":')
  at = putJson(bytes, at, draws)
  return at
}

function putCounts(bytes: Buffer, from: number, counts: TokenCounts | null): number {
  let at = from
  if (counts === null) return put(bytes, from, 'null')
  at = put(bytes, at, '{"uncachedInput":')
  at = putNumber(bytes, at, counts.uncachedInput)
  at = put(bytes, at, ',"cacheWrite":')
  at = putNumber(bytes, at, counts.cacheWrite)
  at = put(bytes, at, ',"cacheRead":')
  at = putNumber(bytes, at, counts.cacheRead)
  at = put(bytes, at, ',"output":')
  at = putNumber(bytes, at, counts.output)
  at = put(bytes, at, ',"reasoning":')
  at = putNumber(bytes, at, counts.reasoning)
  at = put(bytes, at, '}')
  return at
}

function putCandidates(bytes: Buffer, from: number, candidates: UsageRecord['candidates']): number {
  let at = from
  at = put(bytes, at, ',"candidates":[')
  for (let i = 0; i < candidates.length; i++) {
    const { supplier, model, verdict, score } = candidates[i]!
    at = put(bytes, at, i === 0 ? '{"supplier":' : ',{"supplier":')
    at = putText(bytes, at, supplier)
    at = put(bytes, at, ',"model":')
    at = putText(bytes, at, model)
    at = put(bytes, at, ',"verdict":')
    at = putText(bytes, at, verdict)
    if (score) at = put(bytes, put(bytes, at, ',"score":'), JSON.stringify(score))
    at = put(bytes, at, '}')
  }
  at = put(bytes, at, ']')
  return at
}

function putAttempts(bytes: Buffer, from: number, attempts: UsageRecord['attempts']): number {
  let at = from
  at = put(bytes, at, ',"attempts":[')
  for (let i = 0; i < attempts.length; i++) {
    const attempt = attempts[i]!
    const { supplier, model, outcome, status, startMs, endMs } = attempt
    at = put(bytes, at, i === 0 ? '{"supplier":' : ',{"supplier":')
    at = putText(bytes, at, supplier)
    at = put(bytes, at, ',"model":')
    at = putText(bytes, at, model)
    at = put(bytes, at, ',"outcome":')
    at = putText(bytes, at, outcome)
    at = put(bytes, at, ',"status":')
    at = putNumber(bytes, at, status)
    at = put(bytes, at, ',"startMs":')
    at = putNumber(bytes, at, startMs)
    at = put(bytes, at, ',"endMs":')
    at = putNumber(bytes, at, endMs)
    at = putAttemptExtras(bytes, at, attempt)
    at = put(bytes, at, '}')
  }
  at = put(bytes, at, ']')
  return at
}

/** What few attempts have. */
function putAttemptExtras(bytes: Buffer, from: number, attempt: Attempt): number {
  const { firstTokenMs, tokens, buyPico, buySheet, role } = attempt
  let at = from
  if (firstTokenMs !== undefined) {
    at = put(bytes, at, ',"firstTokenMs":')
    at = putNumber(bytes, at, firstTokenMs)
  }
  if (tokens !== undefined) {
    at = put(bytes, at, ',"tokens":')
    at = putCounts(bytes, at, tokens)
  }
  if (buyPico !== undefined) {
    at = put(bytes, at, ',"buyPico":')
    at = putText(bytes, at, buyPico)
  }
  if (buySheet !== undefined) {
    at = put(bytes, at, ',"buySheet":')
    at = putText(bytes, at, buySheet)
  }
  if (role !== undefined) {
    at = put(bytes, at, ',"role":')
    at = putText(bytes, at, role)
  }
  return at
}

/** ASCII only. */
function put(bytes: Buffer, from: number, text: string): number {
  for (let i = 0; i < text.length; i++) bytes[from + i] = text.charCodeAt(i)
  return from + text.length
}

const QUOTE = 0x22
const BACKSLASH = 0x5c

function putText(bytes: Buffer, from: number, text: string | null): number {
  if (text === null) return put(bytes, from, 'null')
  bytes[from] = QUOTE
  const start = from + 1
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH) return putJson(bytes, from, text)
    bytes[start + i] = code
  }
  bytes[start + text.length] = QUOTE
  return start + text.length + 1
}

/** As `JSON.stringify` writes what is no number: a journal with `NaN` in it could not be read again. */
function putNumber(bytes: Buffer, from: number, value: number | null): number {
  return put(bytes, from, Number.isFinite(value) ? String(value) : 'null')
}

/** What is rare enough to be written by the book. */
function putJson(bytes: Buffer, from: number, value: unknown): number {
  const text = JSON.stringify(value)
  const end = from + Buffer.byteLength(text)
  if (end <= bytes.length) bytes.write(text, from)
  return end
}

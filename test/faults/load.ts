import assert from 'node:assert/strict'
import type { Fault } from './fault.ts'
import { PROMPT, assertWhole, chunksOf } from './scene.ts'
import type { Got, Scene } from './scene.ts'

/** Every fault that a provider can have with any request. */
export const FAULTS: readonly Fault[] = [
  { kind: 'status', status: 429, retryAfter: '0.1' },
  { kind: 'status', status: 429 },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 503 },
  { kind: 'reset' },
  { kind: 'never' },
  { kind: 'answer', firstWordMs: 5_000 },
  { kind: 'cut', afterWords: 7 },
  { kind: 'stall', afterWords: 9 },
  { kind: 'malformed', afterWords: 5 },
  { kind: 'answer', done: false },
  { kind: 'status', status: 400, code: 'context_length_exceeded' },
  { kind: 'status', status: 400, code: 'content_filter' },
  { kind: 'answer', refusesPrefill: true },
  { kind: 'cut', afterWords: 3 },
  { kind: 'status', status: 401 },
]

const MOST_TIMES = 5

/** What became of the requests of a load. */
export interface Tally {
  /** Requests that were sent, those included that were sent again because their client was told to come back later. */
  asked: number
  whole: number
  /** The client was told that its request is refused or that nobody answered. */
  refused: Map<string, number>
  /** Part of an answer, and the client was told so. */
  brokenOff: number
  /** Answers that more than one provider gave. */
  continued: number
  slowestMs: number
}

/**
 * `requests` streams, `concurrency` of them at a time, each judged: whole, or ended with a typed error. Anything else, an answer that
 * is not whole and says nothing of it above all, throws.
 */
export async function runLoad(
  scene: Scene,
  { service, requests, concurrency }: { service: string; requests: number; concurrency: number },
): Promise<Tally> {
  const tally: Tally = { asked: 0, whole: 0, refused: new Map(), brokenOff: 0, continued: 0, slowestMs: 0 }
  let left = requests
  const client = async () => {
    while (left-- > 0) judge(await askPatiently(scene, service, tally), tally)
  }
  await Promise.all(Array.from({ length: concurrency }, client))
  return tally
}

/** A client that comes back when it was told to, a few times. */
async function askPatiently(scene: Scene, service: string, tally: Tally): Promise<Got> {
  for (let time = 1; ; time++) {
    tally.asked++
    const got = await scene.ask(service, { messages: PROMPT, stream_options: { include_usage: true } })
    if (got.status !== 429 || time === MOST_TIMES) return got
    await new Promise((resolve) => setTimeout(resolve, Number(got.headers['retry-after']) * 1_000))
  }
}

function judge(got: Got, tally: Tally): void {
  tally.slowestMs = Math.max(tally.slowestMs, got.tookMs)
  assert.equal(got.isCut, false, 'an answer was cut without a word')
  if (got.status !== 200) {
    const { error } = JSON.parse(got.text) as { error: { code: string } }
    tally.refused.set(error.code, (tally.refused.get(error.code) ?? 0) + 1)
    return
  }
  if (!got.text.includes('[DONE]')) {
    assert.ok(chunksOf(got).at(-1)?.error?.code, 'an answer ended without [DONE] and without a reason')
    tally.brokenOff++
    return
  }
  assertWhole(got)
  if (got.text.includes('"continued":')) tally.continued++
  tally.whole++
}

/** Both providers have every fault with one request in a hundred. */
export async function spoil(scene: Scene, service: string, seed: number): Promise<void> {
  const well: Fault = { kind: 'answer', wordMs: 2 }
  for (const [i, provider] of scene.providers.entries())
    await provider.mix(`${service}-${i + 1}`, { perMille: 10, faults: FAULTS, well, seed: seed + i })
}

/** What is on record agrees with what clients got: each once, every word that was delivered whole is paid, nothing else. */
export function assertBilled(scene: Scene, tally: Tally): void {
  const records = [...scene.control.records.values()]
  const paid = records.filter(({ ending }) => ending === 'completed')
  assert.equal(paid.length, tally.whole)
  assert.ok(records.length <= tally.asked)
  for (const { tokens, basis, id } of paid) assert.equal(tokens.output, basis === 'reported' ? 20 : 33, id)
  const failed = records.filter(({ ending }) => ending === 'failed')
  assert.equal(failed.length + paid.length, records.length)
  assert.ok(failed.every(({ sellPico }) => sellPico === '0'))
}

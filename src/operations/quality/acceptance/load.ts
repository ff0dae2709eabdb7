import { setTimeout as wait } from 'node:timers/promises'
import { dig, isCount } from '../conformance/model.ts'
import { deltasOf, reasonOf } from '../conformance/probe.ts'
import type { Probe } from '../conformance/probe.ts'
import type { Counter } from '../conformance/session.ts'
import type { Arrival } from './model/arrivals.ts'
import type { Sample } from './model/statistics.ts'

export interface LoadProgress {
  readonly done: number
  readonly total: number
  readonly running: number
  readonly samples: readonly Sample[]
}

const WORDS = ['letter', 'river', 'market', 'winter', 'engine', 'garden', 'bridge', 'signal', 'harbour', 'copper']

/**
 * Sends requests when they are due, whether or not earlier ones have come back (open loop: a slow supplier does not slow its test down),
 * and waits for all of them.
 */
export async function runLoad(
  probe: Probe,
  arrivals: readonly Arrival[],
  {
    counter,
    onProgress = () => {},
  }: { readonly counter: Counter | undefined; readonly onProgress?: (progress: LoadProgress) => void },
): Promise<Sample[]> {
  const samples: Sample[] = []
  const startedMs = performance.now()
  const pending: Promise<void>[] = []
  let running = 0
  const tell = () => onProgress({ done: samples.length, total: arrivals.length, running, samples })
  for (const [nth, arrival] of arrivals.entries()) {
    const dueMs = arrival.atMs - (performance.now() - startedMs)
    if (dueMs > 0) await wait(dueMs)
    running += 1
    pending.push(
      send(probe, arrival, { nth, startedMs, counter }).then((sample) => {
        running -= 1
        samples.push(sample)
        tell()
      }),
    )
  }
  await Promise.all(pending)
  return samples.toSorted((a, b) => a.atMs - b.atMs)
}

async function send(
  probe: Probe,
  { inputTokens, outputTokens }: Arrival,
  { nth, startedMs, counter }: { nth: number; startedMs: number; counter: Counter | undefined },
): Promise<Sample> {
  const atMs = performance.now() - startedMs
  const { model, maxTokensField } = probe.target
  const failed = (failure: string): Sample => ({
    ...{ atMs, endMs: performance.now() - startedMs, ok: false, ttftMs: null, tpotMs: null },
    ...{ inputTokens: 0, outputTokens: 0, askedTokens: outputTokens, failure },
  })
  try {
    const streamed = await probe.stream({
      model,
      messages: [{ role: 'user', content: questionOf(nth, inputTokens) }],
      [maxTokensField]: outputTokens,
      stream: true,
      stream_options: { include_usage: true },
    })
    if (streamed.status !== 200) return failed(`status ${streamed.status}`)
    if (streamed.broken !== null) return failed(streamed.broken)
    if (!streamed.isDone) return failed('the stream ended without [DONE]')
    const pieces = streamed.events.filter(({ json }) => dig(json, 'choices', 0, 'delta', 'content'))
    const usage = streamed.events.map(({ json }) => dig(json, 'usage')).findLast(Boolean)
    const told = dig(usage, 'completion_tokens')
    const prompt = dig(usage, 'prompt_tokens')
    const tokens = counter ? counter.text(deltasOf(streamed).join('')) : isCount(told) ? told : pieces.length
    const [first, last] = [pieces[0]?.atMs ?? null, pieces.at(-1)?.atMs ?? null]
    return {
      atMs,
      endMs: performance.now() - startedMs,
      ok: true,
      ttftMs: first,
      tpotMs: first === null || last === null || tokens < 2 ? null : (last - first) / (tokens - 1),
      inputTokens: isCount(prompt) ? prompt : 0,
      outputTokens: tokens,
      // An answer that ended by itself was not asked to be longer.
      askedTokens: streamed.events.some(({ json }) => dig(json, 'choices', 0, 'finish_reason') === 'stop')
        ? tokens
        : outputTokens,
      failure: null,
    }
  } catch (error) {
    return failed(reasonOf(error))
  }
}

/** No two questions begin alike, so that no cache of prompts makes a supplier look faster than it is. */
function questionOf(nth: number, tokens: number): string {
  const length = Math.max(1, tokens - 16)
  const words = Array.from({ length }, (_, at) => WORDS[(nth * 7 + at * (1 + (nth % 9))) % WORDS.length] ?? '')
  return `${nth}: tell a long story with these words. ${words.join(' ')}`
}

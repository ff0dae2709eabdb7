import type { CountTolerance, Feature, Finding } from './model.ts'
import { notApplicable } from './model.ts'
import type { Answer, Probe, Streamed } from './probe.ts'

/** Counts tokens of text, as `#metering` does. */
export interface Counter {
  readonly method: string
  readonly text: (text: string) => number
  readonly chat: (messages: readonly { readonly role: string; readonly content: string }[]) => number
}

export interface KitOptions {
  readonly counter: Counter | undefined
  readonly tolerance: CountTolerance
  /** What the supplier says its model takes; undefined: not looked at. */
  readonly contextTokens: number | undefined
  /** What the supplier promised: to refuse it is a failure. */
  readonly promised: ReadonlySet<Feature>
  /** How many requests at once look for a limit; 0: none. */
  readonly burst: number
}

/** One look at an endpoint: what several checks look at is asked for once. */
export interface Session extends KitOptions {
  readonly probe: Probe
  readonly ask: (more?: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>
  /** The same question in one piece and as a stream. Throw `NotSeen` where there was no such answer. */
  readonly whole: () => Promise<Answer>
  readonly streamed: () => Promise<Streamed>
  /** Whatever came. */
  readonly wholeAsCame: () => Promise<Answer>
  readonly streamAsCame: () => Promise<Streamed>
  /** Answers to wrong requests, by what is wrong with them. */
  readonly refusal: (which: WrongRequest) => Promise<Answer>
}

export type WrongRequest = 'malformed' | 'wrong_type' | 'missing' | 'unknown_model' | 'bad_key' | 'before_stream'

/** Ends a check whose subject another check has already found missing, so that one mistake is one failure. */
export class NotSeen extends Error {
  override readonly name = 'NotSeen'
}

export const QUESTION = [
  { role: 'user', content: 'Describe, in a few plain sentences, how a letter travels from one town to another.' },
] as const
export const ANSWER_TOKENS = 64

export function createSession(probe: Probe, options: KitOptions): Session {
  const { model, maxTokensField } = probe.target
  const ask = (more: Readonly<Record<string, unknown>> = {}) => {
    const { max_tokens: limit = ANSWER_TOKENS, ...rest } = more
    return { model, messages: QUESTION, temperature: 0, [maxTokensField]: limit, ...rest }
  }
  const wholeAsCame = once(() => probe.post(ask()))
  const streamAsCame = once(() => probe.stream(ask({ stream: true, stream_options: { include_usage: true } })))
  const refusals: Readonly<Record<WrongRequest, () => Promise<Answer>>> = {
    malformed: once(() => probe.post(`{"model": ${JSON.stringify(model)}, "messages": [`)),
    wrong_type: once(() => probe.post(ask({ messages: 'a text and no list' }))),
    missing: once(() => probe.post({ model })),
    unknown_model: once(() => probe.post(ask({ model: 'no-such-model-0000' }))),
    bad_key: once(() => probe.post(ask(), { key: 'sk-certainly-not-a-key' })),
    before_stream: once(() => probe.post(ask({ stream: true, messages: [{ role: 'nobody' }] }))),
  }
  return {
    ...options,
    probe,
    ask,
    wholeAsCame,
    streamAsCame,
    async whole() {
      const answer = await wholeAsCame().catch(() => notSeen('answer.given'))
      if (answer.status !== 200 || answer.json === undefined) throw new NotSeen('answer.given')
      return answer
    },
    async streamed() {
      const streamed = await streamAsCame().catch(() => notSeen('stream.given'))
      if (streamed.status !== 200 || streamed.events.length === 0) throw new NotSeen('stream.given')
      return streamed
    },
    refusal: (which) => refusals[which](),
  }
}

function notSeen(check: string): never {
  throw new NotSeen(check)
}

/** A refusal of something that was never promised is an honest answer. */
export function refusedFeature(it: Session, feature: Feature, { status }: { status: number }): Finding | undefined {
  const isRefused = status >= 400 && status < 500 && status !== 429
  if (!isRefused || it.promised.has(feature)) return undefined
  return notApplicable(`refused with ${status}: not offered`)
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined
  return () => (result ??= work())
}

import { dig, fail, isRecord, notApplicable, pass, shown, verdictOf } from '../model.ts'
import { deltasOf } from '../probe.ts'
import type { Check } from './check.ts'

/** Shorter than this, a stream that is buffered cannot be told from a fast one. */
const TELLING_MS = 1000

const hasUsage = (json: unknown): boolean => isRecord(dig(json, 'usage'))

/** Answers as a stream of server-sent events. */
export const STREAM_CHECKS: readonly Check[] = [
  {
    id: 'stream.given',
    asks: 'With stream: true, events come with status 200.',
    async look(it) {
      const { status, events, text } = await it.streamAsCame()
      if (status !== 200) return fail(`status ${status}: ${shown(text)}`)
      return events.length === 0 ? fail(`no events: ${shown(text)}`) : pass(`${events.length} events`)
    },
  },
  {
    id: 'stream.type',
    asks: 'A stream says that it is text/event-stream.',
    async look(it) {
      const type = (await it.streamed()).headers.get('content-type') ?? 'nothing'
      return /^text\/event-stream\b/i.test(type) ? pass(type) : fail(`content-type: ${type}`)
    },
  },
  {
    id: 'stream.events',
    asks: 'Every event is a chat.completion.chunk in JSON, nothing else is in the stream, and its body ends properly.',
    async look(it) {
      const { events, stray, broken } = await it.streamed()
      const odd = events.find(({ json }) => dig(json, 'object') !== 'chat.completion.chunk')
      const wrong = [
        ...(odd ? [`an event is ${shown(odd.data)}`] : []),
        ...(stray.length > 0 ? [`not an event: ${shown(stray[0])}`] : []),
        ...(broken === null ? [] : [`the body broke off: ${broken}`]),
      ]
      return verdictOf(wrong, `${events.length} chunks`)
    },
  },
  {
    id: 'stream.deltas',
    asks: 'The text comes in several pieces, as deltas.',
    async look(it) {
      const pieces = deltasOf(await it.streamed())
      return pieces.length > 1 ? pass(`${pieces.length} pieces`) : fail(`${pieces.length} pieces of text`)
    },
  },
  {
    id: 'stream.incremental',
    asks: 'Pieces come while the answer is made, not all at its end.',
    async look(it) {
      const { events, endedAtMs } = await it.streamed()
      const firstMs = events.find(({ json }) => dig(json, 'choices', 0, 'delta', 'content'))?.atMs ?? 0
      if (endedAtMs < TELLING_MS) return notApplicable('the answer was too quick to tell')
      const saw = `first piece after ${Math.round(firstMs)} ms of ${Math.round(endedAtMs)}`
      return firstMs < endedAtMs * 0.95 ? pass(saw) : fail(saw)
    },
  },
  {
    id: 'stream.finish_reason',
    asks: 'A stream says once why it ended, after its last piece of text.',
    async look(it) {
      const { events } = await it.streamed()
      const reasons = events.flatMap(({ json }, at) => {
        const reason = dig(json, 'choices', 0, 'finish_reason')
        return typeof reason === 'string' ? [{ reason, at }] : []
      })
      const lastText = events.findLastIndex(({ json }) => Boolean(dig(json, 'choices', 0, 'delta', 'content')))
      const [only] = reasons
      if (!only || reasons.length > 1) return fail(`${reasons.length} finish reasons`)
      return only.at >= lastText ? pass(only.reason) : fail(`${only.reason} before the last piece of text`)
    },
  },
  {
    id: 'stream.done',
    asks: 'A stream ends with [DONE].',
    async look(it) {
      return (await it.streamed()).isDone ? pass('[DONE]') : fail('the body ended without [DONE]')
    },
  },
  {
    id: 'stream.usage',
    asks: 'With include_usage, exactly one event says the usage, after the text and without a choice.',
    async look(it) {
      const { events } = await it.streamed()
      const told = events.filter(({ json }) => hasUsage(json))
      const [only] = told
      if (!only || told.length > 1) return fail(`${told.length} events with usage`)
      const choices = dig(only.json, 'choices')
      const isAfter = only === events.at(-1)
      if (!isAfter) return fail('the usage is not the last event')
      return Array.isArray(choices) && choices.length === 0 ? pass('one event') : fail(`choices are ${shown(choices)}`)
    },
  },
]

import { locate } from '#platform/json'
import { readEvent } from './stream-event.ts'

/** What one whole (non-stream) answer says about itself. */
export interface AnswerObservation {
  readonly usage: unknown
  readonly finishReason: string | null
}

const WANTED = new Set(['usage', 'choices', 'error'])
const FINISH = '"finish_reason":'

/** Reads a whole answer without building its text; undefined when it is not a chat completion. */
export function observeAnswer(body: Buffer): AnswerObservation | undefined {
  const located = locate(body, WANTED)
  if (!located.ok || located.spans.has('error')) return undefined
  const choices = located.spans.get('choices')
  if (!choices) return undefined
  const usage = located.spans.get('usage')
  const at = body.indexOf(FINISH, choices.start)
  const reason =
    at < 0 ? null : /^\s*"([a-z_]{1,64})"/.exec(body.toString('latin1', at + FINISH.length, at + FINISH.length + 80))
  try {
    return {
      usage: usage ? (JSON.parse(body.toString('utf8', usage.start, usage.end)) as unknown) : undefined,
      finishReason: reason?.[1] ?? null,
    }
  } catch {
    return undefined
  }
}

/** All text the model generated in a whole answer, for recounting. */
export function answerText(body: Buffer): string {
  const event = readEvent(body.toString('latin1'))
  return event ? event.choices.flatMap((choice) => [...choice.texts, ...choice.toolCalls]).join('') : ''
}

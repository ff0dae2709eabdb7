import { locate } from '#platform/json'
import { readEvent } from './stream-event.ts'

/** What one whole (non-stream) answer says about itself. */
export interface AnswerObservation {
  readonly usage: unknown
  readonly finishReason: string | null
}

const WANTED = new Set(['usage', 'choices', 'error'])
const FINISH = Buffer.from('"finish_reason":')
/** What a finish reason may be, with the space before it. */
const REASON = /^\s*"([a-z_]{1,64})"/

/** Reads a whole answer without building its text; undefined when it is not a chat completion. */
export function observeAnswer(body: Buffer): AnswerObservation | undefined {
  const located = locate(body, WANTED)
  if (!located.ok || located.spans.has('error')) return undefined
  const choices = located.spans.get('choices')
  if (!choices) return undefined
  const usage = located.spans.get('usage')
  const at = body.indexOf(FINISH, choices.start)
  const finishReason = at < 0 ? null : reasonAt(body, at + FINISH.length)
  try {
    return {
      usage: usage ? (JSON.parse(body.toString('utf8', usage.start, usage.end)) as unknown) : undefined,
      finishReason,
    }
  } catch {
    return undefined
  }
}

/** The usual reasons are recognised where they stand; others are read. */
const USUAL = ['stop', 'length', 'tool_calls', 'content_filter'].map((reason) => ({
  reason,
  quoted: Buffer.from(`"${reason}"`),
}))

function reasonAt(body: Buffer, at: number): string | null {
  for (let i = 0; i < USUAL.length; i++) {
    const { reason, quoted } = USUAL[i]!
    let same = 0
    while (same < quoted.length && body[at + same] === quoted[same]) same++
    if (same === quoted.length) return reason
  }
  return REASON.exec(body.toString('latin1', at, at + 80))?.[1] ?? null
}

/** All text the model generated in a whole answer, for recounting. */
export function answerText(body: Buffer): string {
  const event = readEvent(body.toString('latin1'))
  return event ? event.choices.flatMap((choice) => [...choice.texts, ...choice.toolCalls]).join('') : ''
}

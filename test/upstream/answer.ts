import type { Behaviour, ReportedUsage } from './behaviour.ts'
import type { Received } from './request-reader.ts'

type Answer = Extract<Behaviour, { kind: 'answer' }>

/** One token per four bytes of the request body: arbitrary, but the same for the same request. */
export function usageOf(request: Received, outputTokens: number): ReportedUsage {
  return { prompt_tokens: Math.max(1, Math.ceil(request.body.length / 4)), completion_tokens: outputTokens }
}

function usageJson(usage: ReportedUsage): Record<string, unknown> {
  return {
    prompt_tokens: usage.prompt_tokens,
    completion_tokens: usage.completion_tokens,
    total_tokens: usage.total_tokens ?? usage.prompt_tokens + usage.completion_tokens,
    ...(usage.cached_tokens === undefined ? {} : { prompt_tokens_details: { cached_tokens: usage.cached_tokens } }),
    ...(usage.reasoning_tokens === undefined
      ? {}
      : { completion_tokens_details: { reasoning_tokens: usage.reasoning_tokens } }),
  }
}

/** The text of an answer: given, or `bytes` long, or one word per event. */
function words(answer: Answer): readonly string[] {
  if (answer.text !== undefined) return [answer.text]
  if (answer.bytes !== undefined) return ['x'.repeat(answer.bytes)]
  return Array.from({ length: answer.events ?? 5 }, (_, i) => `word${i} `)
}

/** The body of a correct non-streaming answer. */
export function completionBody(request: Received, answer: Answer, serial: number): string {
  const text = words(answer)
  const usage = answer.usage ?? usageOf(request, answer.events ?? text.length)
  return JSON.stringify({
    id: `chatcmpl-fake-${serial}`,
    object: 'chat.completion',
    created: 1_760_000_000,
    model: request.model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: text.join('') },
        finish_reason: answer.finishReason ?? 'stop',
      },
    ],
    ...(usage === 'none' ? {} : { usage: usageJson(usage) }),
    ...answer.fields,
  })
}

/** The events of a correct stream, each a complete `data: …` block, without the terminator. Usage comes only when it was asked for. */
export function streamEvents(request: Received, answer: Answer, serial: number): readonly string[] {
  const base = {
    id: `chatcmpl-fake-${serial}`,
    object: 'chat.completion.chunk',
    created: 1_760_000_000,
    model: request.model,
  }
  const choice = (delta: Record<string, unknown>, finish: string | null) => [{ index: 0, delta, finish_reason: finish }]
  const text = words(answer)
  const events = text.map((word, i) => ({
    ...base,
    choices: choice(i === 0 ? { role: 'assistant', content: word } : { content: word }, null),
    ...answer.fields,
  }))
  const frames: Record<string, unknown>[] = [...events, { ...base, choices: choice({}, answer.finishReason ?? 'stop') }]
  const usage = answer.usage ?? usageOf(request, answer.events ?? text.length)
  if (request.includeUsage && usage !== 'none') frames.push({ ...base, choices: [], usage: usageJson(usage) })
  return frames.map((frame) => `data: ${JSON.stringify(frame)}\n\n`)
}

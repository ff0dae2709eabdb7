import type { Problem } from '#kernel'
import type { EngineEvent, EngineUsage } from './engine.ts'

/** What all chunks of one answer share. */
export interface ReplyHead {
  readonly id: string
  readonly createdSeconds: number
  readonly model: string
  /** Whether a usage chunk will follow; all other chunks then say `usage: null`. */
  readonly includeUsage: boolean
}

type End = Extract<EngineEvent, { kind: 'end' }>

const FINGERPRINT = 'fp_embedded'

/** A chunk with one choice, as `chat.completion.chunk` has it. */
export function chunkOf(head: ReplyHead, delta: object, finishReason: string | null) {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finishReason }]
  return { ...chunkHead(head), choices, ...(head.includeUsage && { usage: null }) }
}

/** The trailing chunk that `stream_options.include_usage` asks for. */
export function usageChunkOf(head: ReplyHead, usage: EngineUsage) {
  return { ...chunkHead(head), choices: [], usage: usageOf(usage) }
}

function chunkHead({ id, createdSeconds, model }: ReplyHead) {
  return { id, object: 'chat.completion.chunk', created: createdSeconds, model, system_fingerprint: FINGERPRINT }
}

/** The delta that an event adds to the answer; null for the end. */
export function deltaOf(event: EngineEvent, callId: string): object | null {
  switch (event.kind) {
    case 'text':
      return { content: event.text }
    case 'tool_name':
      return { tool_calls: [{ index: 0, id: callId, type: 'function', function: { name: event.name, arguments: '' } }] }
    case 'tool_arguments':
      return { tool_calls: [{ index: 0, function: { arguments: event.text } }] }
    case 'end':
      return null
  }
}

/** The whole answer at once, as `chat.completion` has it. */
export function completionOf(head: ReplyHead, callId: string, events: readonly EngineEvent[], end: End) {
  let content = ''
  let name: string | null = null
  let callArguments = ''
  for (const event of events) {
    if (event.kind === 'text') content += event.text
    else if (event.kind === 'tool_name') name = event.name
    else if (event.kind === 'tool_arguments') callArguments += event.text
  }
  const message =
    name === null
      ? { role: 'assistant', content, refusal: null }
      : {
          role: 'assistant',
          content: null,
          refusal: null,
          tool_calls: [{ id: callId, type: 'function', function: { name, arguments: callArguments } }],
        }
  return {
    id: head.id,
    object: 'chat.completion',
    created: head.createdSeconds,
    model: head.model,
    system_fingerprint: FINGERPRINT,
    choices: [{ index: 0, message, logprobs: null, finish_reason: end.finishReason }],
    usage: usageOf(end.usage),
  }
}

function usageOf({ promptTokens, cachedTokens, completionTokens }: EngineUsage) {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens },
    completion_tokens_details: { reasoning_tokens: 0 },
  }
}

/** OpenAI's error object. */
export function errorOf(problem: Problem) {
  const { status, code } = problem.type
  const param = problem.params['param']
  return {
    error: {
      message: problem.message,
      type: status === 429 ? 'rate_limit_error' : status >= 500 ? 'server_error' : 'invalid_request_error',
      param:
        typeof param === 'string'
          ? param
          : code === 'model_not_found'
            ? 'model'
            : code === 'context_length_exceeded'
              ? 'messages'
              : null,
      code: code === 'invalid_request' ? null : code,
    },
  }
}

import { isUtf8 } from 'node:buffer'
import { locate } from '#platform/json'
import type { Span } from '#platform/json'
import { checkChat } from './check.ts'
import type { ChatMembers } from './check.ts'
import { invalidRequest, malformedJson } from './problems.ts'
import { promptTokensAtMost } from './prompt-bound.ts'

/** What a chat completion request asks, as far as routing, pricing and admission must know. The rest stays in `body`, untouched. */
export interface ChatRequest extends Omit<ChatMembers, 'messages'> {
  readonly body: Buffer
  /** Where the members lie that may have to be rewritten for the supplier. */
  readonly spans: ReadonlyMap<string, Span>
  readonly bodyStart: number
  /** The most tokens that the prompt can have, media aside. A model's context may be less. */
  readonly promptTokensAtMost: number
}

const REWRITTEN = new Set([
  'model',
  'stream',
  'stream_options',
  'max_tokens',
  'max_completion_tokens',
  'n',
  'messages',
  'service_tier',
])

/**
 * Reads `POST /v1/chat/completions` (platform.openai.com/docs/api-reference/chat). Throws `malformed_json` or `invalid_request`.
 * Members that we need not understand are neither checked nor changed: tomorrow's field must reach the supplier today.
 */
export function decodeChat(body: Buffer): ChatRequest {
  const text = textOf(body)
  const members = checkChat(parse(text))
  const located = locate(body, REWRITTEN)
  if (!located.ok) {
    if (located.reason === 'duplicate')
      throw invalidRequest({ param: located.name ?? '', reason: 'given more than once' })
    throw malformedJson({ reason: 'its structure is ambiguous' })
  }
  const { spans, bodyStart } = located
  const span = spans.get('messages')
  if (!span) throw malformedJson({ reason: 'its structure is ambiguous' })
  // Member by member: a rest or spread of nine members takes longer than everything else here but the parsing.
  return {
    model: members.model,
    stream: members.stream,
    includeUsage: members.includeUsage,
    streamOptions: members.streamOptions,
    choices: members.choices,
    maxOutputTokens: members.maxOutputTokens,
    serviceTier: members.serviceTier,
    hasMedia: members.hasMedia,
    usesTools: members.usesTools,
    wantsStructure: members.wantsStructure,
    wantsLogprobs: members.wantsLogprobs,
    body,
    spans,
    bodyStart,
    promptTokensAtMost: promptTokensAtMost({ body, text, messages: members.messages, span }),
  }
}

function textOf(body: Buffer): string {
  if (body.length === 0) throw malformedJson({ reason: 'it is empty' })
  if (!isUtf8(body)) throw malformedJson({ reason: 'it is not valid UTF-8' })
  return body.toString('utf8')
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw malformedJson({ reason: whereItBroke(error) })
  }
}

/** V8 quotes the text around a syntax error; a prompt must not come back in an error or reach a log, so only the place is kept. */
function whereItBroke(error: unknown): string {
  const position = error instanceof Error ? /position (\d+)/.exec(error.message)?.[1] : undefined
  return position ? `syntax error at character ${position}` : 'syntax error'
}

/** The messages of a request, for recounting its prompt. Parses again: this happens for few requests, and holding every parsed prompt for all would cost memory. */
export function messagesOf(body: Buffer): readonly unknown[] {
  const parsed = JSON.parse(body.toString('utf8')) as { messages?: unknown }
  return Array.isArray(parsed.messages) ? (parsed.messages as readonly unknown[]) : []
}

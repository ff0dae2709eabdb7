import type { Span } from '#platform/json'
import { normalisedGrowth } from './normalised-growth.ts'
import { renderedSize } from './rendered-size.ts'

/**
 * Tokens of what a chat template writes of its own accord: default system prompt, tool preamble, opening of the answer. Fixed
 * text of some hundred tokens (Qwen's tool preamble has 450 bytes); an operator's own template may have as much again.
 */
const TEMPLATE_TOKENS = 1024
/**
 * Tokens that a template writes around one message or one tool call, beyond the at least 16 bytes that the client wrote around
 * it. The longest known is Qwen's tool answer, 42 bytes of tags in words, which are about 15 tokens.
 */
const MESSAGE_TOKENS = 32

export interface PromptParts {
  readonly body: Buffer
  /** `body` as a string. */
  readonly text: string
  readonly messages: readonly unknown[]
  /** Where the messages lie in `body`. */
  readonly span: Span
}

/**
 * The most tokens that the prompt of a chat request can have, for every vocabulary that spends at most one token per byte:
 * byte-level ones and those with byte fallback, without normalisation or with form C. The prompt's bytes are bounded by
 *
 *     body, with what lies outside `messages` at its largest rendering (tools, schemas, documents)
 *   + what arguments of tool calls gain when they are rendered anew
 *   + what normalisation adds
 *   + a constant, and a constant per message and tool call, for what the template writes
 *
 * Texts inside messages are copied once by every template, and never longer than the body wrote them: an escape of two or six
 * bytes stands for at most two or, also when normalised, six. Media are not bounded by their bytes and are refused before this
 * is asked. Members that would make the prompt something else (a template of the client's own) are refused by `checkChat`.
 */
export function promptTokensAtMost({ body, text, messages, span }: PromptParts): number {
  const outside =
    renderedSize(body, 0, span.start, { depth: 0, times: 2 }) +
    renderedSize(body, span.end, body.length, { depth: 1, times: 2 })
  // A text with as many UTF-16 units as bytes is ASCII, which no normalisation changes.
  const growth = text.length === body.length ? 0 : normalisedGrowth(text)
  const calls = callsOf(messages)
  return (
    TEMPLATE_TOKENS +
    MESSAGE_TOKENS * (messages.length + calls.count) +
    (span.end - span.start) +
    outside +
    calls.gain +
    growth
  )
}

/** How many tools the messages call, and what their arguments gain when an engine parses them and its template renders them anew. */
function callsOf(messages: readonly unknown[]): { count: number; gain: number } {
  let count = 0
  let gain = 0
  for (const message of messages) {
    const { tool_calls: calls, function_call: call } = message as { tool_calls?: unknown; function_call?: unknown }
    if (Array.isArray(calls)) {
      count += calls.length
      for (const each of calls as readonly unknown[]) gain += argumentsGain(member(each, 'function'))
    }
    if (call !== undefined) {
      count++
      gain += argumentsGain(call)
    }
  }
  return { count, gain }
}

function argumentsGain(called: unknown): number {
  const given = member(called, 'arguments')
  if (given === undefined || given === null) return 0
  // The protocol says a string of JSON; some engines also take the object itself, whose text here need not be the body's.
  const json = Buffer.from(typeof given === 'string' ? given : JSON.stringify(given))
  const rendered = renderedSize(json, 0, json.length, { depth: 1, times: 1 })
  return typeof given === 'string' ? Math.max(0, rendered - json.length) : rendered
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined
}

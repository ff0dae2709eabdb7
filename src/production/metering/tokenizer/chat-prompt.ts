import type { Tokenizer } from './tokenizer.ts'

/** A chat message as clients write it; fields that cost no prompt tokens do not matter here. */
export interface ChatMessage {
  readonly role: string
  readonly content?: unknown
  readonly tool_calls?: unknown
}

const ESTIMATED_TOKENS_PER_MESSAGE = 4

/**
 * The text that a message puts into the prompt: its content, text parts joined without a separator, and then, for an
 * assistant's tool calls, one JSON object `{"name":…,"arguments":…}` per call. Parts that are not text count nothing.
 */
export function promptTextOf(message: ChatMessage): string {
  return contentText(message.content) + toolCallsText(message.tool_calls)
}

/**
 * Prompt tokens of a chat. Exact for a model file with the role-token template (two markers per message and one that opens
 * the answer); for other models the text's own count plus four per message, which is an estimate.
 */
export function countChatPrompt(tokenizer: Tokenizer, messages: readonly ChatMessage[]): number {
  const perMessage = tokenizer.chatTemplate === 'role-tokens' ? 2 : ESTIMATED_TOKENS_PER_MESSAGE
  let total = tokenizer.chatTemplate === 'role-tokens' ? 1 : 0
  for (const message of messages) total += perMessage + tokenizer.count(promptTextOf(message))
  return total
}

function contentText(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part) => (isRecord(part) && typeof part['text'] === 'string' ? part['text'] : '')).join('')
}

function toolCallsText(calls: unknown): string {
  if (!Array.isArray(calls)) return ''
  return calls
    .map((call) => {
      const called = isRecord(call) ? call['function'] : undefined
      return isRecord(called) ? JSON.stringify({ name: called['name'], arguments: called['arguments'] }) : ''
    })
    .join('')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

import type { ChatRequest } from './decode.ts'

/** How an answer that broke off may be gone on with: not at all, generated again from its beginning, or also from where it broke. */
export type Continuation = 'none' | 'again' | 'prefill'

/** Members that bind the answer to a form which the seam of two answers might break. */
const FORMS = ['guided_json', 'guided_regex', 'guided_choice', 'guided_grammar', 'structured_outputs', 'grammar']

/**
 * What a request allows. Read from the body once more, because it is asked of few requests. Structured output and log
 * probabilities belong to one generation, and so does each of several choices.
 */
export function continuationOf({ body, choices, stream }: ChatRequest): Continuation {
  if (!stream || choices !== 1) return 'none'
  const asked = JSON.parse(body.toString('utf8')) as Readonly<Record<string, unknown>>
  if (asked['logprobs'] === true || typeof asked['top_logprobs'] === 'number') return 'none'
  const format = asked['response_format']
  if (isObject(format) && format['type'] !== 'text') return 'none'
  if (FORMS.some((name) => asked[name] !== undefined && asked[name] !== null)) return 'none'
  if ('continue_final_message' in asked || 'add_generation_prompt' in asked) return 'again'
  const { messages } = asked
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined
  // The client has the assistant's words continued already: a second such message would be another turn.
  return isObject(last) && last['role'] === 'assistant' ? 'again' : 'prefill'
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Token counts as a supplier reports them in `usage`. */
export interface ReportedUsage {
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly cached_tokens?: number
  readonly reasoning_tokens?: number
  readonly total_tokens?: number
}

/**
 * What the fake supplier does with one request.
 *
 * - `answer`: a correct answer, as a stream of `events` when asked to stream, else with `bytes` of text. `usage` is made from the
 *   request when absent, left out when `'none'`; `[DONE]` can be left out; `fields` are merged into the answer (pass-through tests).
 * - `status`: an error answer in OpenAI's shape, with `Retry-After` where given.
 * - `reset`: TCP reset before any answer byte. `never`: accepts and says nothing. `garbage`: bytes that are no HTTP.
 * - `cut`: a correct stream (or body) that dies after `events` events; `clean` ends it by a well-formed end of the body, without `[DONE]`.
 * - `stall`: like `cut`, but the connection stays open and silent.
 * - `malformed`: one SSE event in the middle that is no JSON.
 * - `raw`: these bytes, then the connection closes; `raw-open`: then it stays open. `echo`: the answer's text is the exact body received.
 */
export type Behaviour =
  | {
      readonly kind: 'answer'
      readonly events?: number
      readonly text?: string
      readonly bytes?: number
      readonly usage?: ReportedUsage | 'none'
      readonly done?: boolean
      readonly firstByteDelayMs?: number
      readonly eventDelayMs?: number
      readonly fields?: Readonly<Record<string, unknown>>
      readonly finishReason?: string
    }
  | {
      readonly kind: 'status'
      readonly status: number
      readonly retryAfter?: string
      readonly code?: string
      readonly body?: string
    }
  | { readonly kind: 'reset' }
  | { readonly kind: 'never' }
  | { readonly kind: 'garbage' }
  | { readonly kind: 'cut'; readonly events: number; readonly clean?: boolean; readonly eventDelayMs?: number }
  | { readonly kind: 'stall'; readonly events: number }
  | { readonly kind: 'malformed'; readonly events: number }
  | { readonly kind: 'raw' | 'raw-open'; readonly bytes: string }
  | { readonly kind: 'echo' }

/** Model names that behave without being scripted, so that a configuration file alone can choose a fault. */
export const NAMED_BEHAVIOURS: ReadonlyMap<string, Behaviour> = new Map<string, Behaviour>([
  ['fake-429', { kind: 'status', status: 429 }],
  ['fake-429-retry', { kind: 'status', status: 429, retryAfter: '1' }],
  ['fake-500', { kind: 'status', status: 500 }],
  ['fake-503', { kind: 'status', status: 503 }],
  ['fake-reset', { kind: 'reset' }],
  ['fake-never', { kind: 'never' }],
  ['fake-garbage', { kind: 'garbage' }],
  ['fake-cut', { kind: 'cut', events: 3 }],
  ['fake-stall', { kind: 'stall', events: 3 }],
  ['fake-malformed', { kind: 'malformed', events: 3 }],
  ['fake-no-done', { kind: 'answer', done: false }],
  ['fake-no-usage', { kind: 'answer', usage: 'none' }],
  ['fake-slow-first', { kind: 'answer', firstByteDelayMs: 2000 }],
  ['fake-slow', { kind: 'answer', events: 20, eventDelayMs: 50 }],
  ['fake-huge-usage', { kind: 'answer', usage: { prompt_tokens: 9e15, completion_tokens: 9e15 } }],
  ['fake-echo', { kind: 'echo' }],
])

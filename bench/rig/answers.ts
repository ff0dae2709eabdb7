/** What is asked and answered in the benchmark: fixed bytes, so that every contestant does the same work. */
export const BENCH_MODEL = 'bench'

/** Content events of one stream; the finish event, the usage event and `[DONE]` come after them. */
export const CONTENT_EVENTS = 64

/** Every `data:` block of one stream, the terminator included. */
export const EVENTS_PER_STREAM = CONTENT_EVENTS + 3

const PROMPT = 'Summarise the following paragraph in one sentence. '.repeat(6)

/** The JSON body of one benchmark request; `paceMs` is the time between two events of its stream, 0 = as fast as it goes. */
export function requestBody({ stream, paceMs }: { readonly stream: boolean; readonly paceMs: number }): string {
  return JSON.stringify({
    model: BENCH_MODEL,
    messages: [
      { role: 'system', content: 'You are a terse assistant.' },
      { role: 'user', content: PROMPT },
    ],
    max_tokens: 256,
    temperature: 0.7,
    user: `pace-${paceMs}`,
    ...(stream ? { stream: true, stream_options: { include_usage: true } } : {}),
  })
}

const USAGE = { prompt_tokens: 96, completion_tokens: CONTENT_EVENTS, total_tokens: 96 + CONTENT_EVENTS }

/** The non-streaming answer: 1,024 bytes. */
export const WHOLE_ANSWER: string = (() => {
  const make = (filler: number): string =>
    JSON.stringify({
      id: 'chatcmpl-bench-0000000000',
      object: 'chat.completion',
      created: 1_760_000_000,
      model: BENCH_MODEL,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'word '.repeat(200).slice(0, filler) },
          finish_reason: 'stop',
        },
      ],
      usage: USAGE,
    })
  return make(1024 - make(0).length)
})()

/** The blocks of the stream, each about 200 bytes. */
export const STREAM_EVENTS: readonly string[] = (() => {
  const base = {
    id: 'chatcmpl-bench-0000000000',
    object: 'chat.completion.chunk',
    created: 1_760_000_000,
    model: BENCH_MODEL,
  }
  const content = Array.from({ length: CONTENT_EVENTS }, (_, i) => ({
    ...base,
    choices: [
      {
        index: 0,
        delta: { content: ` token ${String(i).padStart(2, '0')} of it` },
        logprobs: null,
        finish_reason: null,
      },
    ],
  }))
  const end = { ...base, choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }] }
  const usage = { ...base, choices: [], usage: USAGE }
  return [...content, end, usage].map((event) => `data: ${JSON.stringify(event)}\n\n`).concat('data: [DONE]\n\n')
})()

import * as z from 'zod'
import { ApiError, readRefusal } from '../../kit/api.ts'
import type { ChatBody } from '../../kit/snippets.ts'
import { createEventParser } from '../../kit/sse.ts'

const ChatUsage = z.object({ prompt_tokens: z.number(), completion_tokens: z.number() })
export type ChatUsage = z.infer<typeof ChatUsage>

/** The little of a chunk that is shown. A supplier may send more, or less. */
const ChatChunk = z.object({
  choices: z
    .array(
      z.object({
        delta: z.object({ content: z.string().nullish(), reasoning_content: z.string().nullish() }).nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .nullish(),
  usage: ChatUsage.nullish(),
  error: z.object({ message: z.string(), code: z.string().nullish(), type: z.string().nullish() }).nullish(),
})

export interface StreamHandler {
  readonly onRequestId: (id: string) => void
  readonly onText: (piece: string) => void
  readonly onFinish: (reason: string) => void
  readonly onUsage: (usage: ChatUsage) => void
}

export interface StreamCall {
  readonly gatewayUrl: string
  readonly key: string
  readonly body: ChatBody
  /** Aborting hangs up, which is what a client that closes its connection does. */
  readonly signal: AbortSignal
}

/** One streamed call to the gateway. Throws `ApiError` when it is refused, or breaks before the stream said it was done. */
export async function streamChat({ gatewayUrl, key, body, signal }: StreamCall, handler: StreamHandler): Promise<void> {
  const response = await reach(
    fetch(`${gatewayUrl}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      credentials: 'omit',
      signal,
    }),
    signal,
    'gateway_unreachable',
  )
  const id = response.headers.get('x-request-id')
  if (id) handler.onRequestId(id)
  if (!response.ok) throw await readRefusal(response)
  if (!response.body)
    throw new ApiError({ code: 'reply_not_understood', status: response.status, detail: 'The answer has no body' })

  const progress = { done: false }
  const feed = createEventParser((data) => {
    if (data === '[DONE]') progress.done = true
    else readChunk(data, handler)
  })
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  for (;;) {
    const { done, value } = await reach(reader.read(), signal, 'stream_cut')
    if (done) break
    feed(value)
  }
  if (!progress.done)
    throw new ApiError({ code: 'stream_cut', status: response.status, detail: 'The stream ended without [DONE]' })
}

function readChunk(data: string, handler: StreamHandler): void {
  const chunk = ChatChunk.parse(JSON.parse(data))
  if (chunk.error)
    throw new ApiError({
      code: chunk.error.code ?? chunk.error.type ?? 'upstream_error',
      status: 200,
      detail: chunk.error.message,
    })
  for (const choice of chunk.choices ?? []) {
    const piece = (choice.delta?.reasoning_content ?? '') + (choice.delta?.content ?? '')
    if (piece !== '') handler.onText(piece)
    if (choice.finish_reason) handler.onFinish(choice.finish_reason)
  }
  if (chunk.usage) handler.onUsage(chunk.usage)
}

/** Tells our own hang-up, which the caller wants to see as such, from a connection that broke. */
async function reach<Value>(pending: Promise<Value>, signal: AbortSignal, code: string): Promise<Value> {
  try {
    return await pending
  } catch (cause) {
    if (signal.aborted) throw cause
    throw new ApiError({ code, status: 0, detail: cause instanceof Error ? cause.message : String(cause), cause })
  }
}

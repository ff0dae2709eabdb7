import { useEffect, useRef, useState } from 'react'
import { PlaygroundKeyReply } from '#contract'
import { ApiError, post } from '../../kit/api.ts'
import type { ChatBody } from '../../kit/snippets.ts'
import { streamChat } from './chat-stream.ts'
import type { ChatUsage, StreamHandler } from './chat-stream.ts'
import { askPrice } from './price-preview.ts'
import type { PricePreview } from './price-preview.ts'

export interface ChatCall {
  readonly state: 'idle' | 'waiting' | 'streaming' | 'done' | 'stopped' | 'failed'
  readonly text: string
  readonly requestId: string | null
  readonly ttftMs: number | null
  readonly elapsedMs: number | null
  readonly usage: ChatUsage | null
  readonly finishReason: string | null
  readonly error: unknown
}

/** A new key reaches the gateways with their next snapshot, a moment after it was made. */
const KEY_SPREADS_WITHIN_MS = 8000
const KEY_RETRY_MS = 250

const IDLE: ChatCall = {
  state: 'idle',
  text: '',
  requestId: null,
  ttftMs: null,
  elapsedMs: null,
  usage: null,
  finishReason: null,
  error: null,
}

/** Runs one call at a time; `stop` hangs up, and so does leaving the page. */
export function useChatCall(tenant: string | null, gatewayUrl: string | undefined) {
  const [call, setCall] = useState<ChatCall>(IDLE)
  const running = useRef<AbortController>(null)
  const cachedKey = useRef<{ readonly tenant: string; readonly reply: PlaygroundKeyReply; readonly madeAt: number }>(
    null,
  )
  useEffect(() => () => running.current?.abort(), [])

  async function keyFor(forTenant: string): Promise<{ readonly secret: string; readonly madeAt: number }> {
    const cached = cachedKey.current
    // A key about to expire could die between here and the gateway.
    if (cached?.tenant === forTenant && cached.reply.expiresAtMs > Date.now() + 60_000)
      return { secret: cached.reply.secret, madeAt: cached.madeAt }
    const reply = await post('/playground/key', PlaygroundKeyReply, { tenant: forTenant })
    const madeAt = performance.now()
    cachedKey.current = { tenant: forTenant, reply, madeAt }
    return { secret: reply.secret, madeAt }
  }

  async function send(body: ChatBody): Promise<void> {
    if (tenant === null || gatewayUrl === undefined) return
    running.current?.abort()
    const hangUp = new AbortController()
    running.current = hangUp
    const change = (changes: Partial<ChatCall>) => {
      if (running.current === hangUp) setCall((before) => ({ ...before, ...changes }))
    }
    setCall({ ...IDLE, state: 'waiting' })
    let startedAt = performance.now()
    const elapsed = () => performance.now() - startedAt
    let text = ''
    try {
      const key = await keyFor(tenant)
      const handler: StreamHandler = {
        onRequestId: (requestId) => change({ requestId }),
        onText: (piece) => {
          if (text === '') change({ ttftMs: elapsed(), state: 'streaming' })
          text += piece
          change({ text, elapsedMs: elapsed() })
        },
        onFinish: (finishReason) => change({ finishReason }),
        onUsage: (usage) => change({ usage }),
      }
      await onceKnown(
        key.madeAt + KEY_SPREADS_WITHIN_MS,
        () => {
          // Each attempt starts the clock anew.
          startedAt = performance.now()
          return streamChat({ gatewayUrl, key: key.secret, body, signal: hangUp.signal }, handler)
        },
        hangUp.signal,
      )
      change({ state: 'done', elapsedMs: elapsed() })
    } catch (error) {
      if (hangUp.signal.aborted) change({ state: 'stopped', elapsedMs: elapsed() })
      else {
        // A key that stays refused was revoked: the next call asks for a new one.
        if (isUnknownKey(error)) cachedKey.current = null
        change({ state: 'failed', error, elapsedMs: elapsed() })
      }
    }
  }

  /** What a call would cost, with the key that it would be made with. */
  async function price(body: ChatBody): Promise<PricePreview> {
    if (tenant === null || gatewayUrl === undefined) throw new Error('nobody is there to ask or to pay')
    const { secret, madeAt } = await keyFor(tenant)
    return onceKnown(madeAt + KEY_SPREADS_WITHIN_MS, () => askPrice({ gatewayUrl, key: secret, body }))
  }

  return { call, send, price, stop: () => running.current?.abort() }
}

/** Repeats what was refused because the gateway has not heard of the key yet. */
async function onceKnown<Answer>(
  untilMs: number,
  attempt: () => Promise<Answer>,
  signal?: AbortSignal,
): Promise<Answer> {
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (!isUnknownKey(error) || performance.now() > untilMs || signal?.aborted) throw error
      await new Promise((resolve) => setTimeout(resolve, KEY_RETRY_MS))
    }
  }
}

function isUnknownKey(error: unknown): boolean {
  return error instanceof ApiError && error.code === 'invalid_api_key'
}

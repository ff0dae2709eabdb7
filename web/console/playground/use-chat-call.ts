import { useEffect, useRef, useState } from 'react'
import { PlaygroundKeyReply } from '#contract'
import { post } from '../../kit/api.ts'
import type { ChatBody } from '../../kit/snippets.ts'
import { streamChat } from './chat-stream.ts'
import type { ChatUsage } from './chat-stream.ts'

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

const IDLE: ChatCall = { state: 'idle', text: '', requestId: null, ttftMs: null, elapsedMs: null, usage: null, finishReason: null, error: null }

/** Runs one call at a time; `stop` hangs up, and so does leaving the page. */
export function useChatCall(tenant: string | null, gatewayUrl: string | undefined) {
  const [call, setCall] = useState<ChatCall>(IDLE)
  const running = useRef<AbortController>(null)
  const cachedKey = useRef<{ readonly tenant: string; readonly reply: PlaygroundKeyReply }>(null)
  useEffect(() => () => running.current?.abort(), [])

  async function keyFor(forTenant: string): Promise<string> {
    const cached = cachedKey.current
    // A key about to expire could die between here and the gateway.
    if (cached?.tenant === forTenant && cached.reply.expiresAtMs > Date.now() + 60_000) return cached.reply.secret
    const reply = await post('/playground/key', PlaygroundKeyReply, { tenant: forTenant })
    cachedKey.current = { tenant: forTenant, reply }
    return reply.secret
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
      startedAt = performance.now()
      await streamChat(
        { gatewayUrl, key, body, signal: hangUp.signal },
        {
          onRequestId: (requestId) => change({ requestId }),
          onText: (piece) => {
            if (text === '') change({ ttftMs: elapsed(), state: 'streaming' })
            text += piece
            change({ text, elapsedMs: elapsed() })
          },
          onFinish: (finishReason) => change({ finishReason }),
          onUsage: (usage) => change({ usage }),
        },
      )
      change({ state: 'done', elapsedMs: elapsed() })
    } catch (error) {
      if (hangUp.signal.aborted) change({ state: 'stopped', elapsedMs: elapsed() })
      else {
        // A refused key may have been revoked with its tenant: the next call asks for a new one.
        cachedKey.current = null
        change({ state: 'failed', error, elapsedMs: elapsed() })
      }
    }
  }

  return { call, send, stop: () => running.current?.abort() }
}

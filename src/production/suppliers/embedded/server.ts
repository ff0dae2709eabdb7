import { once } from 'node:events'
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Problem } from '#kernel'
import type { Clock } from '#platform/clock'
import { randomHex } from '#platform/crypto'
import type { Log } from '#platform/log'
import { readJson } from './body.ts'
import type { Engine, EngineEvent } from './engine.ts'
import { engineFailed, engineStopping, unknownPath } from './problems.ts'
import { type ReplyHead, chunkOf, completionOf, deltaOf, errorOf, usageChunkOf } from './reply.ts'
import { type ChatRequest, type ModelHabits, parseChatRequest } from './request.ts'

export interface EngineServerOptions extends ModelHabits {
  readonly engine: Engine
  readonly clock: Clock
  readonly log: Log
  readonly maxBodyBytes: number
}

export interface EngineServer {
  /** Listens on loopback only, as the engine has no authentication of its own. Port 0 takes any free one; returns the port taken. */
  listen(port: number): Promise<number>
  /** Takes no new requests, lets those at work finish for `drainMs`, then cuts them off. */
  close(drainMs: number): Promise<void>
}

/** A client that reads nothing for so long keeps a place from others. */
const SLOW_READER_MS = 30_000

export function createEngineServer(options: EngineServerOptions): EngineServer {
  const { engine, clock, log } = options
  const createdSeconds = Math.floor(clock.nowMs() / 1000)
  let isStopping = false
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const gone = new AbortController()
    response.once('close', () => {
      gone.abort()
      // A kept-alive connection becomes idle a moment after its answer ends, and nothing else would close it then.
      if (isStopping) setImmediate(() => server.closeIdleConnections())
    })
    respond(request, response, gone.signal).catch((error: unknown) => {
      if (!gone.signal.aborted) fail(response, error, log)
    })
  })

  async function respond(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
    const method = request.method ?? 'GET'
    if (isStopping) throw engineStopping({})
    if (method === 'POST' && path === '/v1/chat/completions') {
      const asked = parseChatRequest(await readJson(request, options.maxBodyBytes), options)
      const head: ReplyHead = {
        id: `chatcmpl-${randomHex(12)}`,
        createdSeconds: Math.floor(clock.nowMs() / 1000),
        model: engine.modelId,
        includeUsage: asked.includeUsage,
      }
      const events = engine.generate(asked, signal)
      return asked.stream ? stream(response, head, asked, events, signal) : answer(response, head, events)
    }
    request.resume()
    if (method === 'GET' && path === '/v1/models')
      return sendJson(response, 200, { object: 'list', data: [modelCard()] })
    if (method === 'GET' && path === `/v1/models/${encodeURIComponent(engine.modelId)}`)
      return sendJson(response, 200, modelCard())
    if (method === 'GET' && path === '/health')
      return sendJson(response, 200, { status: 'ok', model: engine.modelId, ...engine.load() })
    throw unknownPath({ method, path: path.slice(0, 256) })
  }

  function modelCard() {
    return {
      id: engine.modelId,
      object: 'model',
      created: createdSeconds,
      owned_by: 'embedded',
      context_length: engine.contextTokens,
    }
  }

  return {
    async listen(port) {
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
      return (server.address() as AddressInfo).port
    },
    async close(drainMs) {
      isStopping = true
      await closeServer(server, drainMs)
    },
  }
}

async function answer(
  response: ServerResponse,
  head: ReplyHead,
  events: AsyncGenerator<EngineEvent, void>,
): Promise<void> {
  const seen: EngineEvent[] = []
  for await (const event of events) {
    if (event.kind === 'end') return sendJson(response, 200, completionOf(head, callId(), seen, event))
    seen.push(event)
  }
}

/** Headers leave with the first event, so whatever fails before it is answered with a status of its own. */
async function stream(
  response: ServerResponse,
  head: ReplyHead,
  asked: ChatRequest,
  events: AsyncGenerator<EngineEvent, void>,
  signal: AbortSignal,
): Promise<void> {
  const call = callId()
  for await (const event of events) {
    if (!response.headersSent) {
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
      await send(
        response,
        sse(
          chunkOf(
            head,
            { role: 'assistant', content: asked.shape.kind === 'tool_call' ? null : '', refusal: null },
            null,
          ),
        ),
        signal,
      )
    }
    const delta = deltaOf(event, call)
    if (delta) await send(response, sse(chunkOf(head, delta, null)), signal)
    if (event.kind !== 'end') continue
    const usage = head.includeUsage ? sse(usageChunkOf(head, event.usage)) : ''
    response.end(`${sse(chunkOf(head, {}, event.finishReason))}${usage}data: [DONE]\n\n`)
    return
  }
}

function sse(chunk: object): string {
  return `data: ${JSON.stringify(chunk)}\n\n`
}

async function send(response: ServerResponse, text: string, signal: AbortSignal): Promise<void> {
  if (!response.write(text))
    await once(response, 'drain', { signal: AbortSignal.any([signal, AbortSignal.timeout(SLOW_READER_MS)]) })
}

function sendJson(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
  })
  response.end(text)
}

function fail(response: ServerResponse, error: unknown, log: Log): void {
  const problem = error instanceof Problem ? error : engineFailed({}, { cause: error })
  if (problem.type.status >= 500)
    log.error({ code: problem.type.code, cause: error instanceof Error ? error.message : undefined }, 'request failed')
  // After the first byte only the connection's end can say that something is missing.
  if (response.headersSent) return void response.destroy()
  const retryAfter = problem.params['retryAfterSeconds']
  const headers: Record<string, string> = typeof retryAfter === 'number' ? { 'retry-after': `${retryAfter}` } : {}
  // The rest of a body that is too large is not read, so the connection cannot be used again.
  if (problem.type.status === 413 || problem.type.status === 503) headers['connection'] = 'close'
  sendJson(response, problem.type.status, errorOf(problem), headers)
}

function callId(): string {
  return `call_${randomHex(12)}`
}

async function closeServer(server: Server, drainMs: number): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeIdleConnections()
  const cutOff = setTimeout(() => server.closeAllConnections(), drainMs)
  await closed
  clearTimeout(cutOff)
}

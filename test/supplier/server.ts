import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { makeAnswer, promptTokens, usageOf } from './answer.ts'
import type { Made } from './answer.ts'
import type { Defect } from './defects.ts'
import { readRequest } from './request.ts'
import type { Asked } from './request.ts'

export const SUPPLIER_MODEL = 'letters-1'
export const SUPPLIER_KEY = 'sk-letters'
export const SUPPLIER_CONTEXT = 2000
const MOST_AT_ONCE = 8
/** Long enough that requests at once meet, for requests of one token. */
const SHORT_WORK_MS = 25
const BUFFERED_MS = 1100

/** A supplier whose token is four bytes: well-behaved, or with one defect. */
export interface Supplier {
  readonly url: string
  close(): Promise<void>
}

export interface SupplierOptions {
  readonly defect?: Defect
  /** How long before the first piece, and between pieces, of the nth stream. */
  readonly pace?: (nth: number) => { readonly firstMs: number; readonly eachMs: number }
  /** The nth request is answered with this status. */
  readonly failure?: (nth: number) => number | undefined
  readonly mostAtOnce?: number
  /** 0, and if absent: a free one. */
  readonly port?: number
}

interface State {
  readonly options: SupplierOptions
  readonly has: (defect: Defect) => boolean
  serial: number
  running: number
  isStuck: boolean
  wasLimited: boolean
}

export async function startSupplier(options: SupplierOptions = {}): Promise<Supplier> {
  const has = (each: Defect) => options.defect === each
  const state: State = { options, has, serial: 0, running: 0, isStuck: false, wasLimited: false }
  const server = createServer((request, reply) => void serve(state, request, reply))
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function serve(state: State, request: IncomingMessage, reply: ServerResponse): Promise<void> {
  const { has } = state
  if (request.url?.endsWith('/models')) {
    return sendJson(reply, 200, {
      object: 'list',
      data: has('unlisted') ? [] : [{ id: SUPPLIER_MODEL, object: 'model' }],
    })
  }
  const body = await text(request)
  const refuse = (status: number, message: string, headers: Record<string, string> = {}): void => {
    if (has('html_errors')) reply.writeHead(status, { 'content-type': 'text/html', ...headers }).end('<h1>Oh</h1>')
    else
      sendJson(reply, status, { error: { message, type: 'invalid_request_error', param: null, code: null } }, headers)
  }
  if (request.headers.authorization !== `Bearer ${SUPPLIER_KEY}` && !has('any_key')) return refuse(401, 'who are you?')
  const asked = readRequest(body)
  if (typeof asked === 'string') {
    if (asked === 'wrong_type' && has('error_in_stream') && body.includes('"stream":true')) {
      reply.writeHead(200, { 'content-type': 'text/event-stream' })
      return void reply.end('data: {"error":{"message":"wrong"}}\n\n')
    }
    const isStream = body.includes('"stream":true')
    return refuse(has(`${asked}_500` as Defect) && !isStream ? 500 : 400, asked)
  }
  if (asked.model !== SUPPLIER_MODEL && !has('any_model')) return refuse(404, 'no such model')
  const context = has('half_context') ? SUPPLIER_CONTEXT / 2 : SUPPLIER_CONTEXT
  if (promptTokens(asked) > context && !has('cuts_silently')) return refuse(400, 'too long')
  if (state.isStuck) {
    state.isStuck = false
    return refuse(500, 'still busy')
  }
  const serial = ++state.serial
  const status = state.options.failure?.(serial)
  if (status !== undefined) return refuse(status, 'as told')
  if (state.running >= (state.options.mostAtOnce ?? MOST_AT_ONCE) || (has('stays_limited') && state.wasLimited)) {
    state.wasLimited = true
    if (has('breaks_under_load')) return refuse(500, 'broke')
    return refuse(429, 'too many', has('no_retry_after') ? {} : { 'retry-after': '0' })
  }
  state.running += 1
  await answer(state, asked, serial, reply).finally(() => (state.running -= 1))
}

async function answer(state: State, asked: Asked, serial: number, reply: ServerResponse): Promise<void> {
  const { has } = state
  const isPlain =
    asked.maxTokens === 64 && asked.n === 1 && asked.stop === undefined && !asked.callsTool && !asked.format
  const isResult = asked.messages.some(({ role }) => role === 'tool')
  if (
    (has('plain_500') && isPlain && !isResult && !asked.stream && !asked.forbidsTool) ||
    (has('refuses_results') && isResult)
  )
    return sendJson(reply, 500, { error: { message: 'broke', type: 'server_error' } })
  if (asked.maxTokens === 1) await wait(SHORT_WORK_MS)
  const made = makeAnswer(asked, has)
  if (asked.stream) return stream(state, asked, made, serial, reply)
  const message = made.call
    ? { role: 'assistant', content: null, tool_calls: [toolCall(made.call)] }
    : { role: 'assistant', content: made.text }
  const choices = Array.from({ length: made.choices }, (_, index) => ({ index, message, finish_reason: made.finish }))
  const usage = usageOf(asked, made, has)
  const whole = {
    ...(has('no_id') ? {} : { id: `cmpl-${serial}` }),
    object: 'chat.completion',
    created: 1_760_000_000,
    model: asked.model,
    choices,
    usage,
  }
  reply
    .writeHead(200, { 'content-type': has('text_plain') ? 'text/plain' : 'application/json' })
    .end(JSON.stringify(whole))
}

const toolCall = ({ id, name, args }: NonNullable<Made['call']>) => ({
  id,
  type: 'function',
  function: { name, arguments: args },
})

async function stream(state: State, asked: Asked, made: Made, serial: number, reply: ServerResponse): Promise<void> {
  const { has, options } = state
  if (has('stream_500') && asked.includeUsage)
    return sendJson(reply, 500, { error: { message: 'broke', type: 'server_error' } })
  reply.on('close', () => {
    if (!reply.writableEnded && has('stuck_after_cut')) state.isStuck = true
  })
  reply.writeHead(200, { 'content-type': has('stream_type') ? 'application/json' : 'text/event-stream' })
  const base = { id: `cmpl-${serial}`, object: 'chat.completion.chunk', created: 1_760_000_000, model: asked.model }
  const event = (delta: unknown, finish: string | null = null) =>
    `data: ${JSON.stringify({ ...base, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
  const { firstMs, eachMs } = options.pace?.(serial) ?? { firstMs: 0, eachMs: has('stuck_after_cut') ? 20 : 0 }
  const pieces = made.call ? [] : has('one_piece') ? [made.text] : (made.text.match(/.{1,4}/gs) ?? [])
  const isBuffered = has('buffered') && asked.includeUsage
  if (firstMs > 0 || isBuffered) await wait(isBuffered ? BUFFERED_MS : firstMs)
  for (const [at, content] of pieces.entries()) {
    if (reply.closed) return
    if (at > 0 && eachMs > 0) await wait(eachMs)
    reply.write(event(at === 0 ? { role: 'assistant', content } : { content }))
    if (has('two_reasons') && at === 2) reply.write(event({}, 'stop'))
    if (has('stray_event') && at === 2) reply.write('data: oops\n\n')
  }
  if (made.call) for (const piece of callPieces(made.call)) reply.write(event({ tool_calls: [piece] }))
  reply.write(event({}, made.finish))
  if (asked.includeUsage && !has('no_stream_usage'))
    reply.write(`data: ${JSON.stringify({ ...base, choices: [], usage: usageOf(asked, made, has) })}\n\n`)
  if (has('no_done')) return void reply.end()
  reply.write('data: [DONE]\n\n')
  if (has('stream_breaks_off') && asked.includeUsage) {
    await wait(SHORT_WORK_MS)
    return void reply.socket?.end()
  }
  reply.end()
}

function callPieces({ id, name, args }: NonNullable<Made['call']>): unknown[] {
  const half = Math.floor(args.length / 2)
  return [
    { index: 0, id, type: 'function', function: { name, arguments: '' } },
    { index: 0, function: { arguments: args.slice(0, half) } },
    { index: 0, function: { arguments: args.slice(half) } },
  ]
}

function sendJson(reply: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  reply.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

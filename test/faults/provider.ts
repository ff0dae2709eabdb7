import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Fault, FromProvider, Mix, Sighting, ToProvider } from './fault.ts'

/**
 * A misbehaving provider of the OpenAI protocol, a program of its own. Its process is told over IPC what each model does with its next
 * requests (the last of a list stays), and tells what it saw.
 */
const scripts = new Map<string, Fault[]>()
const mixes = new Map<string, Mix & { state: number }>()
const sightings: Sighting[] = []
let connections = 0

const wordsOf = (says: string, count: number) => Array.from({ length: count }, (_, i) => `${says}${i} `)

function nextFault(model: string): Fault {
  const mix = mixes.get(model)
  if (mix) {
    // A linear congruential generator (Numerical Recipes): any will do, as long as the seed decides.
    mix.state = (Math.imul(mix.state, 1_664_525) + 1_013_904_223) >>> 0
    const at = Math.floor((mix.state / 2 ** 32) * 1000)
    return mix.faults[Math.floor(at / mix.perMille)] ?? mix.well
  }
  const script = scripts.get(model) ?? []
  return (script.length > 1 ? script.shift() : script[0]) ?? { kind: 'answer' }
}

interface Asked {
  readonly model: string
  readonly stream?: boolean
  readonly messages: readonly { readonly role: string; readonly content: string }[]
  readonly stream_options?: { readonly include_usage?: boolean }
  readonly max_tokens?: number
  readonly continue_final_message?: boolean
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = ''
  for await (const piece of request) body += String(piece)
  const asked = JSON.parse(body) as Asked
  const fault = nextFault(asked.model)
  const last = asked.messages.at(-1)
  const seen: Sighting = {
    model: asked.model,
    fault: fault.kind,
    atMs: performance.now(),
    lastRole: last?.role ?? '',
    lastContent: last?.content ?? '',
    maxTokens: asked.max_tokens ?? 0,
    continues: asked.continue_final_message === true,
    end: 'open',
    words: 0,
  }
  sightings.push(seen)
  response.on('close', () => {
    if (seen.end === 'open') seen.end = response.writableFinished ? 'answered' : 'client_gone'
  })
  await behave(fault, asked, response, seen)
}

async function behave(fault: Fault, asked: Asked, response: ServerResponse, seen: Sighting): Promise<void> {
  switch (fault.kind) {
    case 'status':
      return refuse(response, fault.status, fault.code ?? 'fake_error', fault.retryAfter)
    case 'reset':
      seen.end = 'broken_by_us'
      response.socket?.resetAndDestroy()
      break
    case 'never':
      break
    case 'answer': {
      if (fault.refusesPrefill && seen.continues) return refuse(response, 400, 'prefill_not_supported')
      await pause(response, fault.firstWordMs ?? 0)
      const words = restOf(wordsOf(fault.says ?? 'word', fault.words ?? 20), asked, seen)
      if (!asked.stream) return whole(response, asked, words)
      await speak(response, asked, words, { wordMs: fault.wordMs ?? 0, seen, fault })
      if (response.destroyed) return
      const reason = fault.finishReason ?? 'stop'
      response.write(event(asked, {}, reason))
      if (asked.stream_options?.include_usage) response.write(usageEvent(asked, words.length))
      response.end(fault.done === false ? '' : 'data: [DONE]\n\n')
      return
    }
    case 'cut':
    case 'stall':
    case 'malformed': {
      const words = restOf(wordsOf('word', 20), asked, seen).slice(0, fault.afterWords)
      if (asked.stream) await speak(response, asked, words, { wordMs: 0, seen, fault })
      else response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 }).write('{"choices":[')
      if (fault.kind === 'stall') return
      if (fault.kind === 'malformed') response.write('data: {"choices":[{"delta":{"content":"half\n\n')
      seen.end = 'broken_by_us'
      // What was written leaves before the connection does.
      await new Promise((resolve) => setTimeout(resolve, 20))
      response.destroy()
    }
  }
}

/** What is left to say after the assistant's words that the request ends in. */
function restOf(words: readonly string[], asked: Asked, seen: Sighting): readonly string[] {
  if (!seen.continues || seen.lastRole !== 'assistant') return words
  const rest = words.join('').slice(seen.lastContent.length)
  return rest === '' ? [] : rest.split(/(?<= )/)
}

async function speak(
  response: ServerResponse,
  asked: Asked,
  words: readonly string[],
  { wordMs, seen, fault }: { wordMs: number; seen: Sighting; fault: { toolCall?: boolean; reasoning?: boolean } },
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(event(asked, { role: 'assistant', content: '' }, null))
  if (fault.reasoning) response.write(event(asked, { reasoning_content: 'hm ' }, null))
  if (fault.toolCall)
    response.write(event(asked, { tool_calls: [{ index: 0, function: { name: 'f', arguments: '{"x"' } }] }, null))
  for (const word of words) {
    if (response.destroyed) return
    if (!response.write(event(asked, { content: word }, null)))
      await Promise.race([once(response, 'drain'), once(response, 'close')])
    seen.words++
    if (wordMs > 0) await pause(response, wordMs)
  }
}

const event = (asked: Asked, delta: object, reason: string | null) =>
  `data: ${JSON.stringify({ id: `chatcmpl-${asked.model}`, object: 'chat.completion.chunk', created: 1, model: asked.model, choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`

function usageOf(asked: Asked, words: number) {
  const prompt = Math.ceil(asked.messages.reduce((sum, { content }) => sum + content.length, 0) / 4)
  return { prompt_tokens: prompt, completion_tokens: words, total_tokens: prompt + words }
}

const usageEvent = (asked: Asked, words: number) =>
  `data: ${JSON.stringify({ id: `chatcmpl-${asked.model}`, object: 'chat.completion.chunk', created: 1, model: asked.model, choices: [], usage: usageOf(asked, words) })}\n\n`

function whole(response: ServerResponse, asked: Asked, words: readonly string[]): void {
  const message = { role: 'assistant', content: words.join('') }
  response.writeHead(200, { 'content-type': 'application/json' }).end(
    JSON.stringify({
      id: `chatcmpl-${asked.model}`,
      object: 'chat.completion',
      created: 1,
      model: asked.model,
      choices: [{ index: 0, message, finish_reason: 'stop' }],
      usage: usageOf(asked, words.length),
    }),
  )
}

function refuse(response: ServerResponse, status: number, code: string, retryAfter?: string): void {
  const headers = {
    'content-type': 'application/json',
    ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
  }
  response
    .writeHead(status, headers)
    .end(JSON.stringify({ error: { message: `fake ${status}`, type: 'fake', param: null, code } }))
}

/** Waits, but not longer than the client does. */
function pause(response: ServerResponse, ms: number): Promise<void> {
  if (ms === 0 || response.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      response.off('close', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    response.on('close', done)
  })
}

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy())
})
server.on('connection', (socket) => {
  connections++
  socket.on('error', () => socket.destroy())
  socket.on('close', () => connections--)
})
server.keepAliveTimeout = 60_000
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1')
await once(server, 'listening')
const address = server.address()
const say = (message: FromProvider) => process.send?.(message)
process.on('message', (message: ToProvider) => {
  if (message.type === 'script') {
    mixes.delete(message.model)
    scripts.set(message.model, [...message.faults])
  } else if (message.type === 'mix') mixes.set(message.model, { ...message.mix, state: message.mix.seed })
  else if (message.type === 'forget') sightings.length = 0
  say({ type: 'reply', ask: message.ask, sightings: message.type === 'look' ? sightings : [], connections })
})
process.on('disconnect', () => process.exit(0))
say({ type: 'ready', port: typeof address === 'object' && address ? address.port : 0 })

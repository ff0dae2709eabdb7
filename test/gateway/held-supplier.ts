import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A supplier that answers nobody until the test says so: how many it serves at once, and in which order they came, is for the test to count. */
export interface HeldSupplier extends AsyncDisposable {
  readonly url: string
  /** The first message of every request, in the order in which they came. */
  readonly came: readonly string[]
  /** Of those, whom it still owes an answer. */
  held(): readonly string[]
  /** The most that it owed an answer at once. */
  most(): number
  /** Answers one, or all that there are. */
  answer(text?: string): void
  /** Refuses one with 429 and this Retry-After. */
  refuse(text: string, retryAfterSeconds: number): void
}

export async function startHeldSupplier(): Promise<HeldSupplier> {
  const came: string[] = []
  const open = new Map<string, ServerResponse>()
  let most = 0
  const server = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      const { messages } = JSON.parse(Buffer.concat(pieces).toString()) as { messages: { content: string }[] }
      const text = messages[0]?.content ?? ''
      came.push(text)
      open.set(text, response)
      most = Math.max(most, open.size)
      response.on('close', () => open.get(text) === response && open.delete(text))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const answerOne = (text: string) => {
    const response = open.get(text)
    open.delete(text)
    response?.setHeader('content-type', 'application/json')
    response?.end(
      JSON.stringify({
        id: text,
        object: 'chat.completion',
        created: 0,
        model: 'm',
        choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
      }),
    )
  }
  return {
    url: `http://127.0.0.1:${port}/v1`,
    came,
    held: () => [...open.keys()],
    most: () => most,
    answer(text) {
      for (const one of text === undefined ? [...open.keys()] : [text]) answerOne(one)
    },
    refuse(text, retryAfterSeconds) {
      const response = open.get(text)
      open.delete(text)
      response?.writeHead(429, { 'content-type': 'application/json', 'retry-after': String(retryAfterSeconds) })
      response?.end('{"error":{"message":"later"}}')
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

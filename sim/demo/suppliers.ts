import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import * as z from 'zod'
import { chinaDate } from '#kernel'
import { countChatPrompt, createTokenizer } from '#metering'
import type { Clock } from '#platform/clock'

/** A simulated supplier; `inflation` is what it adds to the output tokens that it says it made. */
export interface Voice {
  readonly id: string
  readonly inflation: number
}

/** What a supplier's own books say of one day: the statement is made of it. */
export interface SoldDay {
  readonly day: string
  requests: number
  input: number
  output: number
}

const Asked = z.object({
  model: z.string(),
  max_tokens: z.int().optional(),
  max_completion_tokens: z.int().optional(),
  messages: z.array(z.object({ role: z.string(), content: z.string() })).min(1),
})

const WORDS =
  'The factory buys tokens by the month and sells them by the sip, and every evening somebody counts what went through the meter against what was promised, paid and owed, so that nobody has to believe anybody.'

/**
 * Suppliers behind one address, `/<id>/v1`: a deterministic text as an answer, counted with the model's own vocabulary. Honest ones
 * report what they counted.
 */
export async function startSuppliers(voices: readonly Voice[], clock: Clock) {
  const tokenizer = createTokenizer({ kind: 'tiktoken', encoding: 'o200k_base' }, { modelRoot: '.' })
  const books = new Map(voices.map(({ id }) => [id, new Map<string, SoldDay>()]))
  let serial = 0
  const server = createServer((request, reply) => void serve(request, reply).catch(() => reply.destroy()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  async function serve(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const [, id = ''] = /^\/([^/]+)\/v1\/chat\/completions$/.exec(request.url ?? '') ?? []
    const voice = voices.find((each) => each.id === id)
    const asked = Asked.safeParse(JSON.parse(await text(request)))
    if (!voice || !asked.success)
      return answer(reply, 400, { error: { message: 'not understood', type: 'invalid_request_error' } })
    const { data } = asked
    const words = Array.from({ length: 4 }, () => WORDS)
      .join(' ')
      .split(' ')
    const length = 12 + ((++serial * 7) % (words.length - 12))
    const cap = data.max_tokens ?? data.max_completion_tokens ?? 400
    const content = words.slice(0, Math.min(length, cap)).join(' ')
    const input = countChatPrompt(tokenizer, data.messages) ?? 1
    const counted = tokenizer.count(content)
    const output = counted + Math.round(counted * voice.inflation)
    note(id, input, output)
    answer(reply, 200, {
      id: `cmpl-${serial}`,
      object: 'chat.completion',
      created: Math.floor(clock.nowMs() / 1000),
      model: data.model,
      choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
      usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output },
    })
  }

  function note(id: string, input: number, output: number): void {
    const day = chinaDate(clock.nowMs())
    const days = books.get(id)
    const sold = days?.get(day) ?? { day, requests: 0, input: 0, output: 0 }
    days?.set(day, { ...sold, requests: sold.requests + 1, input: sold.input + input, output: sold.output + output })
  }

  return {
    url: (id: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${id}/v1`,
    /** By day, oldest first. */
    soldBy: (id: string): readonly SoldDay[] => [...(books.get(id)?.values() ?? [])],
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function answer(reply: ServerResponse, status: number, body: unknown): void {
  reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import { afterEach, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { createClient } from './client.ts'
import { EXIT } from './exit-codes.ts'

afterEach(() => vi.unstubAllGlobals())

async function serving(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  return {
    url,
    client: createClient({ url, env: { TOKENFACTORY_TOKEN: 'token' } }),
    [Symbol.dispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}

const Echo = z.object({ method: z.string(), url: z.string(), token: z.string(), body: z.string() })

test('a request carries its token and body, and its answer is parsed', async () => {
  // The global one gives up on an answer that takes longer than five minutes: proving the books may.
  vi.stubGlobal('fetch', () => Promise.reject(new Error('not to be used')))
  using it = await serving((request, reply) => {
    let body = ''
    request.setEncoding('utf8').on('data', (piece: string) => (body += piece))
    request.on('end', () =>
      reply.end(
        JSON.stringify({ method: request.method, url: request.url, token: request.headers.authorization, body }),
      ),
    )
  })
  expect(await it.client.post('/verify', Echo, { 名: 1 })).toEqual({
    method: 'POST',
    url: '/api/v1/verify',
    token: 'Bearer token',
    body: '{"名":1}',
  })
  expect(await it.client.get('/keys', Echo, { tenant: 'acme', limit: undefined })).toMatchObject({
    method: 'GET',
    url: '/api/v1/keys?tenant=acme',
    body: '',
  })
})

test('an answer that breaks off is one line with the exit code of a factory that cannot be reached', async () => {
  using it = await serving((_, reply) => {
    reply.writeHead(200, { 'content-length': '100' })
    reply.write('{"half":', () => reply.destroy())
  })
  await expect(it.client.get('/keys', Echo)).rejects.toMatchObject({
    name: 'CliError',
    code: EXIT.unreachable,
    message: `the factory at ${it.url} broke off its answer (ECONNRESET)`,
  })
})

test('where nobody listens, the line says so', async () => {
  let url = ''
  {
    using gone = await serving(() => undefined)
    url = gone.url
  }
  await expect(createClient({ url, env: { TOKENFACTORY_TOKEN: 'token' } }).get('/keys', Echo)).rejects.toMatchObject({
    code: EXIT.unreachable,
    message: `the factory cannot be reached at ${url} (ECONNREFUSED). Is it running? See --url.`,
  })
})

test('a redirection is not followed', async () => {
  using it = await serving((_, reply) => void reply.writeHead(302, { location: '/elsewhere' }).end())
  await expect(it.client.get('/keys', Echo)).rejects.toMatchObject({ message: `${it.url} answered 302` })
})

test('an answer in lines tells its progress, and is whole only with its last line', async () => {
  let isWhole = true
  using it = await serving((request, reply) => {
    expect(request.headers.accept).toBe('application/x-ndjson')
    reply.writeHead(200, { 'content-type': 'application/x-ndjson' })
    reply.write('{"progress":1}\n{"prog')
    reply.write('ress":2}\n', () => (isWhole ? reply.end('{"reply":"ok"}\n') : reply.destroy()))
  })
  const told: number[] = []
  const follow = () => it.client.follow('/verify', z.string(), { schema: z.int(), show: (each) => told.push(each) })
  expect(await follow()).toBe('ok')
  expect(told).toEqual([1, 2])
  isWhole = false
  await expect(follow()).rejects.toMatchObject({ name: 'CliError', code: EXIT.unreachable })
})

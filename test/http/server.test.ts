import { expect, test } from 'vitest'
import { request } from 'node:http'
import { createHttpClient } from '#platform/http'
import { call } from './calls.ts'
import { dial, serve } from './support.ts'

test('a request is answered on a connection that stays open for the next one', async () => {
  await using server = await serve()
  const client = await dial(server.port)
  for (let i = 1; i <= 3; i++) {
    client.socket.write(`POST /v1/x?n=${i} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi`)
    await client.until((text) => text.split('ok').length === i + 1)
  }
  expect(server.seen.map(({ path, query, body }) => [path, query, body])).toEqual([
    ['/v1/x', 'n=1', 'hi'],
    ['/v1/x', 'n=2', 'hi'],
    ['/v1/x', 'n=3', 'hi'],
  ])
  client.socket.destroy()
})

test('our client and our server understand each other, and the connection is reused', async () => {
  await using server = await serve({
    onRequest: (exchange, body) => {
      exchange.startStream(200, 'content-type: text/event-stream\r\n')
      exchange.write(Buffer.from('data: 1\n\n'))
      exchange.write(Buffer.from('data: 2\n\n'))
      exchange.endStream(body)
    },
  })
  const client = createHttpClient({
    origin: new URL(`http://127.0.0.1:${server.port}`),
    maxConnections: 4,
    connectTimeoutMs: 5000,
    maxHeadBytes: 16_384,
    idleTimeoutMs: 5000,
  })
  for (let i = 0; i < 3; i++) {
    const outcome = await call(client, { body: [Buffer.from('la'), Buffer.from('st')] })
    expect(outcome).toMatchObject({ kind: 'end', status: 200, body: 'data: 1\n\ndata: 2\n\nlast' })
    expect(server.server.openConnections).toBe(1)
  }
  client.close()
})

test('node:http as the client is satisfied too', async () => {
  await using server = await serve()
  const text = await new Promise<string>((resolve, reject) => {
    const outgoing = request(
      { port: server.port, host: '127.0.0.1', method: 'POST', path: '/x', agent: false },
      (response) => {
        let body = ''
        response.on('data', (piece: Buffer) => (body += piece.toString()))
        response.on('end', () => resolve(`${String(response.statusCode)} ${body}`))
      },
    )
    outgoing.on('error', reject)
    outgoing.end('hello')
  })
  expect(text).toBe('200 ok')
  expect(server.seen[0]!.body).toBe('hello')
})

import { expect, test } from 'vitest'
import { headerLine, type Exchange } from '#platform/http'
import { dial, exchangeBytes, serve } from './support.ts'

const GET = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n'

test('a head that trickles in for too long is answered with 408', async () => {
  await using server = await serve({ headTimeoutMs: 30 })
  const answer = await exchangeBytes(server.port, 'GET /x HTTP/1.1\r\nHost:')
  expect(answer).toMatch(/^HTTP\/1\.1 408 /)
  expect(server.seen).toEqual([])
})

test('a body that trickles in for too long is answered with 408', async () => {
  await using server = await serve({ bodyTimeoutMs: 30 })
  for (const framing of ['Content-Length: 9', 'Transfer-Encoding: chunked']) {
    const answer = await exchangeBytes(server.port, `POST /x HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n5\r\nab`)
    expect(answer).toMatch(/^HTTP\/1\.1 408 /)
  }
  expect(server.seen).toEqual([])
})

test('a connection that says nothing is closed without a word, before and after a request', async () => {
  await using server = await serve({ headTimeoutMs: 30, keepAliveTimeoutMs: 30 })
  expect(await exchangeBytes(server.port, '')).toBe('')
  const answer = await exchangeBytes(server.port, GET)
  expect(answer.split('HTTP/1.1 ')).toHaveLength(2)
})

test('a client that does not read is cut after the stall limit', async () => {
  let lost = 0
  await using server = await serve({
    stallTimeoutMs: 50,
    onRequest: (exchange) => {
      exchange.onClose(() => lost++)
      exchange.startStream(200, '')
      while (exchange.write(Buffer.alloc(262_144)));
    },
  })
  const client = await dial(server.port)
  client.socket.pause()
  client.socket.write(GET)
  await once(() => lost === 1)
  client.socket.destroy()
})

test('heads and targets beyond their limits are refused as what they are, whole or endless', async () => {
  await using server = await serve({ maxHeadBytes: 1000 })
  const long = 'y'.repeat(2000)
  expect(await exchangeBytes(server.port, `GET /x HTTP/1.1\r\nHost: a\r\nX: ${long}\r\n\r\n`)).toMatch(
    /^HTTP\/1\.1 431 /,
  )
  expect(await exchangeBytes(server.port, `GET /x HTTP/1.1\r\nHost: a\r\nX: ${long}`)).toMatch(/^HTTP\/1\.1 431 /)
  expect(await exchangeBytes(server.port, `GET /${long} HTTP/1.1\r\nHost: a\r\n\r\n`)).toMatch(/^HTTP\/1\.1 414 /)
  expect(await exchangeBytes(server.port, `GET /${long}`)).toMatch(/^HTTP\/1\.1 414 /)
  expect(server.seen).toEqual([])
  await using roomy = await serve({ maxHeadBytes: 100_000 })
  const target = `/${'y'.repeat(9000)}`
  expect(await exchangeBytes(roomy.port, `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)).toMatch(/^HTTP\/1\.1 414 /)
})

test('a hundred header fields are accepted and one more is refused', async () => {
  await using server = await serve()
  const fields = (count: number) => Array.from({ length: count }, (_, i) => `X-${i}: ${i}\r\n`).join('')
  const close = (count: number) => `GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${fields(count - 2)}\r\n`
  expect(await exchangeBytes(server.port, close(100))).toMatch(/^HTTP\/1\.1 200 /)
  expect(await exchangeBytes(server.port, close(101))).toMatch(/^HTTP\/1\.1 431 /)
  expect(server.seen[0]!.headers).toHaveLength(100)
})

test('a body above the allowance is refused, announced or not, and its connection closed', async () => {
  await using server = await serve({ onHead: () => 10 })
  const post = (framing: string, body: string) => `POST /x HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n${body}`
  const exact = await exchangeBytes(
    server.port,
    `POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10\r\n\r\n0123456789`,
  )
  expect(exact).toMatch(/^HTTP\/1\.1 200 /)
  for (const bytes of [
    post('Content-Length: 11', ''),
    post('Content-Length: 11', '01234567890'),
    post('Transfer-Encoding: chunked', 'b\r\n'),
    post('Transfer-Encoding: chunked', '6\r\n012345\r\n5\r\n01234\r\n0\r\n\r\n'),
    post('Transfer-Encoding: chunked', 'ffffffff\r\nx'),
  ]) {
    const answer = await exchangeBytes(server.port, bytes)
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer).toContain('connection: close')
  }
  expect(server.seen).toHaveLength(1)
})

test('more connections than allowed are turned away, and a freed place is given again', async () => {
  await using server = await serve({ maxConnections: 2 })
  const first = await dial(server.port)
  const second = await dial(server.port)
  first.socket.write(GET)
  second.socket.write(GET)
  await Promise.all([first.until((text) => text.includes('ok')), second.until((text) => text.includes('ok'))])
  expect(await exchangeBytes(server.port, GET)).toBe('')
  first.socket.destroy()
  await once(() => server.server.openConnections === 1)
  const third = await dial(server.port)
  third.socket.write(GET)
  expect(await third.until((text) => text.includes('ok'))).toContain('200')
  second.socket.destroy()
  third.socket.destroy()
})

test('a client that pipelines without end loses the rest but not the answer under way', async () => {
  let held: Exchange | undefined
  await using server = await serve({
    maxHeadBytes: 1000,
    onRequest: (exchange) => {
      held = exchange
    },
  })
  const client = await dial(server.port)
  client.socket.write(GET + `GET /second HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(10_000))
  await once(() => held !== undefined && client.socket.writableLength === 0)
  client.socket.write(GET)
  await once(() => client.socket.writableLength === 0)
  held!.respond(200, '', 'mine')
  const answer = await client.ended()
  expect(answer.split('HTTP/1.1 ')).toHaveLength(2)
  expect(answer).toContain('mine')
})

test('header lines refuse whatever could break out of the line', () => {
  expect(headerLine('x-request-id', 'a b')).toBe('x-request-id: a b\r\n')
  // U+010A and U+010D end in the bytes of LF and CR, which is what latin1 would make of them.
  for (const value of ['a\r\nb: c', 'a\nb', 'a\rb', 'a\0b', '\u010a', '\u010d', '\x7f', '\x0b']) {
    expect(() => headerLine('x', value)).toThrow(TypeError)
  }
  for (const name of ['', 'a b', 'a:', 'a\r\n', 'é']) expect(() => headerLine(name, 'v')).toThrow(TypeError)
})

/** Waits for a condition that follows from work already under way. */
async function once(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}

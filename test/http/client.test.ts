import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { createHttpClient, type ClientFailure, type ClientOptions, type HttpClient } from '#platform/http'
import { call } from './calls.ts'
import { rawServer } from './support.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

function clientTo(port: number, overrides: Partial<ClientOptions> = {}): HttpClient {
  return createHttpClient({
    origin: new URL(`http://127.0.0.1:${port}`),
    maxConnections: 8,
    connectTimeoutMs: 10_000,
    maxHeadBytes: 4096,
    idleTimeoutMs: 10_000,
    ...overrides,
  })
}

/** A supplier that answers every request with `answer` and then does `then`. */
function answering(answer: string, then: (socket: Socket) => void = () => {}) {
  return rawServer((socket) => {
    socket.on('data', () => {
      socket.write(answer, 'latin1')
      then(socket)
    })
  })
}

test('one connection carries one call after the other', async () => {
  await using supplier = await answering(OK)
  const client = clientTo(supplier.port)
  for (let i = 0; i < 5; i++) expect(await call(client)).toMatchObject({ kind: 'end', status: 200, body: 'ok' })
  expect(supplier.connections()).toBe(1)
  expect(client.inFlight).toBe(0)
  client.close()
})

test('the request goes out as written, parts back to back, small and large', async () => {
  for (const size of [10, 100_000]) {
    let received = ''
    const expected = size * 2 + 1
    await using supplier = await rawServer((socket) => {
      socket.on('data', (chunk: Buffer) => {
        received += chunk.toString('latin1')
        if (received.length - received.indexOf('\r\n\r\n') - 4 === expected) socket.write(OK)
      })
    })
    const client = clientTo(supplier.port)
    const body = [Buffer.alloc(size, 'a'), Buffer.from('-'), Buffer.alloc(size, 'b')]
    await call(client, { method: 'PUT', target: '/v1/x?y', head: 'authorization: Bearer k\r\n', body })
    expect(received).toBe(
      `PUT /v1/x?y HTTP/1.1\r\nhost: 127.0.0.1:${supplier.port}\r\nauthorization: Bearer k\r\ncontent-length: ${expected}\r\n\r\n` +
        `${'a'.repeat(size)}-${'b'.repeat(size)}`,
    )
    client.close()
  }
})

test('targets and methods that could break out of the request line are refused', async () => {
  const client = clientTo(1)
  const handler = { onHead() {}, onData() {}, onEnd() {}, onFailure() {} }
  for (const target of ['', 'x', '/a b', '/a\r\nb', '/\u010a']) {
    expect(() => client.send({ method: 'GET', target, head: '', body: [] }, handler)).toThrow(TypeError)
  }
  expect(() => client.send({ method: 'GET / HTTP/1.1\r\n', target: '/', head: '', body: [] }, handler)).toThrow(
    TypeError,
  )
  expect(client.inFlight).toBe(0)
})

const GARBAGE: Readonly<Record<string, string>> = {
  'not HTTP': 'SSH-2.0-OpenSSH_9.7\r\n\r\n',
  'bare LF': 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok',
  'both lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok',
  'length list': 'HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok',
  'length with a sign': 'HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok',
  'unknown coding': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok',
  'folded header': 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok',
  'space before the colon': 'HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok',
  'status of four digits': 'HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/2': 'HTTP/2 200\r\n\r\n',
  'unasked upgrade': 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
  'bad chunk size': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n',
  'chunk not ended': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokXX',
  'more than announced': `${OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`,
  'endless interim answers': 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(9),
}

test.each(Object.entries(GARBAGE))(
  'garbage is called garbage and its connection not used again: %s',
  async (_, answer) => {
    await using supplier = await answering(answer)
    const client = clientTo(supplier.port)
    expect(await call(client)).toMatchObject({ kind: 'garbage', reused: false })
    expect(await call(client)).toMatchObject({ kind: 'garbage', reused: false })
    expect(supplier.connections()).toBe(2)
    client.close()
  },
)

test('an oversized or endless head is given up', async () => {
  for (const answer of [
    `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(5000)}\r\n\r\n`,
    `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(5000)}`,
  ]) {
    await using supplier = await answering(answer)
    const client = clientTo(supplier.port)
    expect(await call(client)).toMatchObject({ kind: 'head_too_large' })
    client.close()
  }
})

test('a connection that ends too early is told apart: before the head, within the body, and where it means the end', async () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['', 'reset', ''],
    ['HTTP/1.1 200 OK\r\nContent-Le', 'reset', ''],
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc', 'cut', 'abc'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n', 'cut', 'abc'],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n', 'cut', 'abc'],
    ['HTTP/1.1 200 OK\r\n\r\nabc', 'end', 'abc'],
    ['HTTP/1.0 200 OK\r\n\r\nabc', 'end', 'abc'],
  ]
  for (const [answer, kind, body] of cases) {
    await using supplier = await answering(answer, (socket) => socket.end())
    const client = clientTo(supplier.port)
    expect(await call(client), answer).toMatchObject({ kind, body, reused: false })
    client.close()
  }
  await using resetting = await answering('HTTP/1.1 200 OK\r\n\r\nabc', (socket) =>
    setImmediate(() => socket.resetAndDestroy()),
  )
  const client = clientTo(resetting.port)
  expect(await call(client)).toMatchObject({ kind: 'cut' })
  client.close()
})

test('a kept connection that the supplier closes is dropped, and one it closes under a call says so', async () => {
  await using supplier = await rawServer((socket, index) => {
    let requests = 0
    socket.on('data', () => {
      requests++
      if (index === 0 && requests === 2) socket.resetAndDestroy()
      else socket.write(OK, () => index === 1 && socket.end())
    })
  })
  const client = clientTo(supplier.port)
  expect(await call(client)).toMatchObject({ kind: 'end' })
  expect(await call(client)).toMatchObject({ kind: 'reset', reused: true })
  expect(await call(client)).toMatchObject({ kind: 'end' })
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
  expect(await call(client)).toMatchObject({ kind: 'end' })
  expect(supplier.connections()).toBe(3)
  client.close()
})

test('bytes that nobody asked for cost the connection, never the next call', async () => {
  await using supplier = await rawServer((socket) => {
    socket.once('data', () => {
      socket.write(OK)
      setImmediate(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'))
    })
    socket.on('data', () => {})
  })
  const client = clientTo(supplier.port)
  expect(await call(client)).toMatchObject({ body: 'ok' })
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
  expect(await call(client)).toMatchObject({ body: 'ok' })
  expect(supplier.connections()).toBe(2)
  client.close()
})

test('interim answers are skipped, HEAD, 204 and 304 have no body, and the connection stays in step', async () => {
  const answers = [
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n' + OK,
    'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n',
    'HTTP/1.1 204 No Content\r\n\r\n',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n',
    OK,
  ]
  let next = 0
  await using supplier = await rawServer((socket) => socket.on('data', () => socket.write(answers[next++]!)))
  const client = clientTo(supplier.port)
  expect(await call(client)).toMatchObject({ status: 200, body: 'ok' })
  expect(await call(client, { method: 'HEAD' })).toMatchObject({ kind: 'end', status: 200, body: '' })
  expect(await call(client)).toMatchObject({ kind: 'end', status: 204, body: '' })
  expect(await call(client)).toMatchObject({ kind: 'end', status: 304, body: '' })
  expect(await call(client)).toMatchObject({ kind: 'end', status: 200, body: 'ok' })
  expect(supplier.connections()).toBe(1)
  client.close()
})

test('a response split after any byte is read like one that is not', async () => {
  const answer =
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX-Y: z\r\nTransfer-Encoding: chunked\r\n\r\n3;e="x"\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nT: u\r\n\r\n'
  let at = 1
  await using supplier = await rawServer((socket) => {
    socket.on('data', () => {
      socket.write(answer.slice(0, at))
      setImmediate(() => setImmediate(() => socket.write(answer.slice(at))))
    })
  })
  const client = clientTo(supplier.port)
  for (; at < answer.length; at++) {
    expect(await call(client)).toMatchObject({
      kind: 'end',
      body: 'abc0123456789abcdef',
      headers: [
        ['x-y', 'z'],
        ['transfer-encoding', 'chunked'],
      ],
    })
  }
  expect(supplier.connections()).toBe(1)
  client.close()
})

test('calls beyond the limit fail at once, and never before send has returned', async () => {
  await using supplier = await rawServer(() => {})
  const client = clientTo(supplier.port, { maxConnections: 1 })
  const first = client.send(
    { method: 'GET', target: '/', head: '', body: [] },
    { onHead() {}, onData() {}, onEnd() {}, onFailure() {} },
  )
  let returned = false
  const failure = await new Promise<ClientFailure>((resolve) => {
    const onFailure = (why: ClientFailure) => {
      expect(returned).toBe(true)
      resolve(why)
    }
    client.send({ method: 'GET', target: '/', head: '', body: [] }, { onHead() {}, onData() {}, onEnd() {}, onFailure })
    returned = true
  })
  expect(failure).toEqual({ kind: 'at_capacity', reused: false })
  expect(client.inFlight).toBe(1)
  first.abort()
  expect(client.inFlight).toBe(0)
  client.close()
})

test('nobody listening is connect_failed, and so is an address that never answers in time', async () => {
  const gone = await rawServer(() => {})
  await gone[Symbol.asyncDispose]()
  const refused = clientTo(gone.port)
  expect(await call(refused)).toMatchObject({ kind: 'connect_failed', reused: false })
  refused.close()
})

test('after abort the handler hears nothing, and the supplier sees the connection go', async () => {
  let closed = false
  await using supplier = await rawServer((socket) => {
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n'))
    socket.on('close', () => (closed = true))
  })
  const client = clientTo(supplier.port)
  const heard: string[] = []
  const active = client.send(
    { method: 'GET', target: '/', head: '', body: [] },
    {
      onHead: () => heard.push('head'),
      onData: (piece) => {
        heard.push(piece.toString())
        active.abort()
      },
      onEnd: () => heard.push('end'),
      onFailure: () => heard.push('failure'),
    },
  )
  while (!closed) await new Promise((resolve) => setImmediate(resolve))
  expect(heard).toEqual(['head', 'ab'])
  expect(client.inFlight).toBe(0)
  client.close()
})

test('pause stops the flow from the supplier and resume loses nothing', async () => {
  const total = 8 * 1024 * 1024
  let sent = false
  await using supplier = await rawServer((socket) => {
    socket.on('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`)
      socket.write(Buffer.alloc(total, 'x'), () => (sent = true))
    })
  })
  const client = clientTo(supplier.port)
  let bytes = 0
  let paused = false
  await new Promise<void>((resolve, reject) => {
    const active = client.send(
      { method: 'GET', target: '/', head: '', body: [] },
      {
        onHead() {},
        onData(piece) {
          if (paused) reject(new Error('data while paused'))
          bytes += piece.length
          if (bytes > 100_000 && bytes < 1_000_000) {
            active.pause()
            paused = true
            let turns = 0
            const wait = () => {
              if (++turns < 20) return void setImmediate(wait)
              if (sent) reject(new Error('the supplier was never slowed down'))
              paused = false
              active.resume()
            }
            wait()
          }
        },
        onEnd: resolve,
        onFailure: (failure) => reject(new Error(failure.kind)),
      },
    )
  })
  expect(bytes).toBe(total)
  expect(await call(client, { body: [] }).then(({ kind }) => kind)).toBe('end')
  client.close()
})

test('a handler that throws loses its call and not the process', async () => {
  await using supplier = await answering(OK)
  for (const stage of ['onHead', 'onData', 'onEnd'] as const) {
    const errors: unknown[] = []
    const client = clientTo(supplier.port, { onError: (error) => errors.push(error) })
    const seen = await new Promise<ClientFailure | 'end'>((resolve) => {
      const handler = { onHead() {}, onData() {}, onEnd: () => resolve('end'), onFailure: resolve }
      client.send(
        { method: 'GET', target: '/', head: '', body: [] },
        {
          ...handler,
          [stage]: () => {
            if (stage === 'onEnd') resolve('end')
            throw new Error(stage)
          },
        },
      )
    })
    if (stage !== 'onEnd') expect(seen).toMatchObject({ kind: 'aborted', cause: new Error(stage) })
    expect(errors).toEqual([new Error(stage)])
    expect(client.inFlight).toBe(0)
    client.close()
  }
})

test('a failed or aborted call gives its place up at once, so that the next try finds one', async () => {
  await using supplier = await rawServer((socket, index) => {
    socket.on('data', () => (index === 0 ? socket.end('garbage\n') : socket.write(OK)))
  })
  const client = clientTo(supplier.port, { maxConnections: 1 })
  const second = await new Promise((resolve) => {
    const onFailure = () => void call(client).then(resolve)
    client.send({ method: 'GET', target: '/', head: '', body: [] }, { onHead() {}, onData() {}, onEnd() {}, onFailure })
  })
  expect(second).toMatchObject({ kind: 'end', body: 'ok' })
  const handler = { onHead() {}, onData() {}, onEnd() {}, onFailure() {} }
  client.send({ method: 'GET', target: '/', head: '', body: [] }, handler).abort()
  expect(await call(client)).toMatchObject({ kind: 'end', body: 'ok' })
  client.close()
})

test('an unused connection is closed after the idle time', async () => {
  let closed = false
  await using supplier = await rawServer((socket) => {
    socket.on('data', () => socket.write(OK))
    socket.on('close', () => (closed = true))
  })
  const client = clientTo(supplier.port, { idleTimeoutMs: 20 })
  await call(client)
  while (!closed) await new Promise((resolve) => setImmediate(resolve))
  expect(await call(client)).toMatchObject({ kind: 'end' })
  client.close()
})

test('after close, running calls end, new ones are refused, and no connection stays', async () => {
  const sockets: Socket[] = []
  await using supplier = await rawServer((socket) => sockets.push(socket))
  const client = clientTo(supplier.port)
  const running = call(client)
  while (sockets.length === 0) await new Promise((resolve) => setImmediate(resolve))
  client.close()
  expect(await call(client)).toMatchObject({ kind: 'aborted' })
  let closed = false
  sockets[0]!.on('close', () => (closed = true)).on('data', () => {})
  sockets[0]!.write(OK)
  expect(await running).toMatchObject({ kind: 'end' })
  while (!closed) await new Promise((resolve) => setImmediate(resolve))
})

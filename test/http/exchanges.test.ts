import { expect, test } from 'vitest'
import type { Exchange } from '#platform/http'
import { dial, exchangeBytes, serve } from './support.ts'

const GET = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n'

test('pipelined requests are handled strictly one after the other, also when answers come late', async () => {
  const waiting: Exchange[] = []
  await using server = await serve({ onRequest: (exchange) => void waiting.push(exchange) })
  const client = await dial(server.port)
  client.socket.write(
    '/a /b /c'
      .split(' ')
      .map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`)
      .join(''),
  )
  for (const path of ['/a', '/b', '/c']) {
    await once(() => waiting.length === 1)
    expect(server.seen.at(-1)!.path).toBe(path)
    waiting.pop()!.respond(200, '', `answer to ${path}.`)
  }
  const text = await client.until((received) => received.includes('answer to /c.'))
  expect(text.match(/answer to \/[abc]\./g)).toEqual(['answer to /a.', 'answer to /b.', 'answer to /c.'])
  client.socket.destroy()
})

test('a thousand pipelined requests answered at once neither recurse nor get lost', async () => {
  await using server = await serve()
  const client = await dial(server.port)
  client.socket.write(GET.repeat(1000))
  await client.until((text) => text.split('ok').length === 1001)
  expect(server.seen).toHaveLength(1000)
  client.socket.destroy()
})

test('a message split after any byte is read like one that is not', async () => {
  const bytes =
    'POST /p?q=1 HTTP/1.1\r\nHost: a\r\nX-Y: z\r\nTransfer-Encoding: chunked\r\n\r\n3;e="x"\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nT: u\r\n\r\n'
  await using server = await serve()
  for (let at = 1; at < bytes.length; at++) {
    const client = await dial(server.port)
    client.socket.write(bytes.slice(0, at))
    await turns()
    client.socket.write(bytes.slice(at))
    await client.until((text) => text.includes('ok'))
    client.socket.destroy()
  }
  const single = await dial(server.port)
  for (const byte of bytes) {
    single.socket.write(byte)
    await turns()
  }
  await single.until((text) => text.includes('ok'))
  single.socket.destroy()
  expect(server.seen).toHaveLength(bytes.length)
  expect(new Set(server.seen.map((seen) => JSON.stringify(seen))).size).toBe(1)
  expect(server.seen[0]).toMatchObject({ path: '/p', query: 'q=1', body: 'abc0123456789abcdef' })
})

test('100-continue is answered when the body is wanted and not when it is refused', async () => {
  await using server = await serve({
    onHead: (exchange) => {
      if (exchange.path === '/wanted') return 100
      exchange.respond(401, '', 'no')
      return -1
    },
  })
  const ask = (path: string) => `POST ${path} HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n`
  const wanted = await dial(server.port)
  wanted.socket.write(ask('/wanted'))
  expect(await wanted.until((text) => text.includes('\r\n\r\n'))).toBe('HTTP/1.1 100 Continue\r\n\r\n')
  wanted.socket.write('hi')
  expect(await wanted.until((text) => text.includes('ok'))).toContain('HTTP/1.1 200 OK')
  wanted.socket.destroy()
  const refused = await exchangeBytes(server.port, ask('/refused'))
  expect(refused).toMatch(/^HTTP\/1\.1 401 /)
  expect(refused).toContain('connection: close')
})

test('HTTP/1.0 gets no chunks: its stream ends with the connection, its plain answer may keep it', async () => {
  await using server = await serve({
    onRequest: (exchange) => {
      if (exchange.path === '/plain') return exchange.respond(200, '', 'ok')
      exchange.startStream(200, '')
      exchange.write(Buffer.from('one'))
      exchange.endStream(Buffer.from('two'))
    },
  })
  const stream = await exchangeBytes(server.port, 'GET /s HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
  expect(stream).toMatch(/connection: close\r\n\r\nonetwo$/)
  const plain = await exchangeBytes(
    server.port,
    'GET /plain HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /plain HTTP/1.0\r\n\r\n',
  )
  expect(plain.match(/connection: [a-z-]+/g)).toEqual(['connection: keep-alive', 'connection: close'])
})

test('the first piece of a stream may travel with its head, in every framing', async () => {
  await using server = await serve({
    onRequest: (exchange) => {
      exchange.startStream(200, '', Buffer.from('one'))
      exchange.endStream(Buffer.from('two'))
    },
  })
  expect(await exchangeBytes(server.port, 'GET /s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toMatch(
    /\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n$/,
  )
  expect(await exchangeBytes(server.port, 'GET /s HTTP/1.0\r\n\r\n')).toMatch(/\r\n\r\nonetwo$/)
  expect(await exchangeBytes(server.port, 'HEAD /s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toMatch(
    /\r\n\r\n$/,
  )
})

test('HEAD and bodiless statuses carry no body and keep the connection in step', async () => {
  await using server = await serve({
    onRequest: (exchange) => {
      if (exchange.path === '/204') exchange.respond(204, '', 'nothing')
      else if (exchange.path === '/stream') {
        exchange.startStream(200, '')
        exchange.write(Buffer.from('nothing'))
        exchange.endStream(Buffer.from('nothing'))
      } else exchange.respond(200, '', 'body')
    },
  })
  const client = await dial(server.port)
  client.socket.write(
    'HEAD /x HTTP/1.1\r\nHost: a\r\n\r\nGET /204 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n' +
      GET,
  )
  const text = await client.until((received) => received.includes('body'))
  expect(text.split('HTTP/1.1 ')).toHaveLength(5)
  expect(text).not.toContain('nothing')
  expect(text).toMatch(
    /^HTTP\/1\.1 200 OK\r\ncontent-length: 4\r\n\r\nHTTP\/1\.1 204 No Content\r\n\r\nHTTP\/1\.1 200 OK\r\n\r\nHTTP/,
  )
  client.socket.destroy()
})

test('a client that hangs up is noticed at every stage, without any bytes flowing', async () => {
  const stages: Record<string, (exchange: Exchange) => void> = {
    waiting: () => {},
    started: (exchange) => exchange.startStream(200, ''),
    streaming: (exchange) => {
      exchange.startStream(200, '')
      exchange.write(Buffer.from('x'))
    },
  }
  for (const [stage, act] of Object.entries(stages)) {
    for (const leave of ['end', 'resetAndDestroy', 'destroy'] as const) {
      let entered = false
      let left = 0
      let held: Exchange | undefined
      await using server = await serve({
        onRequest: (exchange) => {
          held = exchange
          exchange.onClose(() => left++)
          act(exchange)
          entered = true
        },
      })
      const client = await dial(server.port)
      client.socket.write(GET)
      await once(() => entered)
      if (stage !== 'waiting') await client.until((text) => text.length > 0)
      client.socket[leave]()
      await once(() => left === 1)
      expect(held!.closed).toBe(true)
      // What the handler still does in ignorance must be harmless.
      if (stage === 'waiting') held!.respond(200, '', 'late')
      else {
        expect(held!.write(Buffer.from('late'))).toBe(true)
        held!.endStream()
      }
      held!.abort()
      client.socket.destroy()
      expect(server.errors).toEqual([])
      await once(() => server.server.openConnections === 0)
    }
  }
})

test('a client that hangs up within a head or body never reaches the handler and leaves nothing behind', async () => {
  await using server = await serve()
  const bytes = 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcd'
  for (const at of [1, 10, 30, bytes.length - 3, bytes.length]) {
    for (const leave of ['end', 'resetAndDestroy'] as const) {
      const client = await dial(server.port)
      client.socket.write(bytes.slice(0, at))
      await turns()
      client.socket[leave]()
      await client.ended()
    }
  }
  await once(() => server.server.openConnections === 0)
  expect(server.seen).toEqual([])
})

test('onClose stays silent when the answer was complete or cut by ourselves', async () => {
  let heard = 0
  await using server = await serve({
    onRequest: (exchange) => {
      exchange.onClose(() => heard++)
      if (exchange.path === '/abort') exchange.abort()
      else exchange.respond(200, '', 'ok')
    },
  })
  const client = await dial(server.port)
  client.socket.write(GET)
  await client.until((text) => text.includes('ok'))
  client.socket.destroy()
  expect(await exchangeBytes(server.port, 'GET /abort HTTP/1.1\r\nHost: a\r\n\r\n')).toBe('')
  await once(() => server.server.openConnections === 0)
  expect(heard).toBe(0)
})

test('onClose tells a handler that the codec has refused the rest of its request', async () => {
  const heard: string[] = []
  await using server = await serve({
    bodyTimeoutMs: 30,
    onHead: (exchange) => {
      exchange.onClose(() => heard.push(exchange.path))
      if (exchange.path === '/throws') throw new Error('head')
      return 100
    },
  })
  const post = (path: string, body: string) =>
    exchangeBytes(server.port, `POST ${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body}`)
  expect(await post('/malformed', 'xyz\r\n')).toMatch(/^HTTP\/1\.1 400 /)
  expect(await post('/slow', '5\r\nab')).toMatch(/^HTTP\/1\.1 408 /)
  expect(await post('/throws', '')).toMatch(/^HTTP\/1\.1 500 /)
  expect(heard).toEqual(['/malformed', '/slow', '/throws'])
})

test('a cut stream ends without its last chunk', async () => {
  await using server = await serve({
    onRequest: (exchange) => {
      exchange.startStream(200, '')
      exchange.write(Buffer.from('part'))
      setImmediate(() => exchange.abort())
    },
  })
  const text = await exchangeBytes(server.port, GET)
  expect(text).toMatch(/4\r\npart\r\n$/)
})

test('a slow reader is told apart by write, gets every byte in order, and onDrain says when to go on', async () => {
  const total = 200
  let drains = 0
  await using server = await serve({
    onRequest: (exchange) => {
      let next = 0
      const pump = () => {
        while (next < total) if (!exchange.write(Buffer.alloc(65_536, next++ % 251))) return
        exchange.endStream()
      }
      exchange.startStream(200, '')
      exchange.onDrain(() => {
        drains++
        pump()
      })
      pump()
    },
  })
  const client = await dial(server.port)
  client.socket.pause()
  client.socket.write(GET)
  await once(() => server.seen.length === 1)
  await turns()
  expect(drains).toBe(0)
  client.socket.resume()
  // Comparing lengths leaves the growing text unread until it is whole.
  const text = await client.until((received) => received.length > total * 65_543)
  expect(drains).toBeGreaterThan(0)
  const chunks = text
    .slice(text.indexOf('\r\n\r\n') + 4)
    .split('10000\r\n')
    .slice(1)
  expect(chunks.map((chunk) => chunk.charCodeAt(0))).toEqual(Array.from({ length: total }, (_, i) => i % 251))
  client.socket.destroy()
})

test('the buffer given to write may be reused at once', async () => {
  await using server = await serve({
    onRequest: (exchange) => {
      const scratch = Buffer.alloc(100_000)
      exchange.startStream(200, '')
      for (let i = 0; i < 50; i++) exchange.write(scratch.fill(65 + (i % 26)))
      exchange.endStream()
    },
  })
  const client = await dial(server.port)
  client.socket.write(GET)
  const text = await client.until((received) => received.length > 50 * 100_009)
  const letters = text
    .slice(text.indexOf('\r\n\r\n') + 4)
    .split('186a0\r\n')
    .slice(1)
    .map((chunk) => new Set(chunk.slice(0, 100_000)))
  expect(letters.map((set) => [...set].join(''))).toEqual(
    Array.from({ length: 50 }, (_, i) => String.fromCharCode(65 + (i % 26))),
  )
  client.socket.destroy()
})

test('a handler that throws is answered with 500, or cut once it has begun, and the server lives on', async () => {
  await using server = await serve({
    onHead: (exchange) => {
      if (exchange.path === '/head') throw new Error('head')
      return 10
    },
    onRequest: (exchange) => {
      if (exchange.path === '/stream') exchange.startStream(200, '')
      if (exchange.path !== '/fine') throw new Error('request')
      exchange.respond(200, '', 'ok')
    },
  })
  const ask = (path: string) =>
    exchangeBytes(server.port, `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
  expect(await ask('/head')).toMatch(/^HTTP\/1\.1 500 .*refused 500/s)
  expect(await ask('/request')).toMatch(/^HTTP\/1\.1 500 /)
  expect(await ask('/stream')).not.toContain('0\r\n\r\n')
  expect(await ask('/fine')).toMatch(/^HTTP\/1\.1 200 /)
  expect(server.errors).toHaveLength(3)
})

test('answering twice is reported and cuts the connection instead of confusing the next answer', async () => {
  await using server = await serve({
    onRequest: (exchange) => {
      exchange.respond(200, '', 'first')
      exchange.respond(200, '', 'second')
    },
  })
  const text = await exchangeBytes(server.port, GET + GET)
  expect(text).not.toContain('second')
  expect(server.errors).toHaveLength(1)
})

test('closing lets a running exchange end, drops idle connections at once, and cuts what outlasts the grace', async () => {
  const held: Exchange[] = []
  await using server = await serve({
    onRequest: (exchange) => {
      if (exchange.path === '/idle') return exchange.respond(200, '', 'ok')
      held.push(exchange)
    },
  })
  const idle = await dial(server.port)
  idle.socket.write('GET /idle HTTP/1.1\r\nHost: a\r\n\r\n')
  await idle.until((text) => text.includes('ok'))
  const running = await dial(server.port)
  const stuck = await dial(server.port)
  running.socket.write(GET)
  stuck.socket.write(GET)
  await once(() => held.length === 2)
  const closed = server.server.close(200)
  await idle.ended()
  held[0]!.respond(200, '', 'finished')
  const texts = await Promise.all([running.ended(), stuck.ended()])
  expect(texts.toSorted().map((text) => text.includes('finished'))).toEqual([false, true])
  expect(texts.join('')).toContain('connection: close')
  await closed
  expect(server.server.openConnections).toBe(0)
})

/** Waits for a condition that follows from work already under way. */
async function once(holds: () => boolean): Promise<void> {
  while (!holds()) await turns()
}

async function turns(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve))
}

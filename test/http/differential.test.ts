import fc from 'fast-check'
import { createServer, request, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createHttpClient } from '#platform/http'
import { call } from './calls.ts'
import { anyRequests, anyResponse } from './messages.ts'
import { dial, rawServer, serve, type Seen } from './support.ts'

// A fixed seed keeps the suite repeatable; set both variables to search further.
const RUNS = Number(process.env['HTTP_FUZZ_RUNS'] ?? 1200)
const SEED = Number(process.env['HTTP_FUZZ_SEED'] ?? 20261123)

test(
  'every request we accept, node:http accepts too and reads in exactly the same way',
  { timeout: 600_000 },
  async () => {
    const accepted: Seen[] = []
    const reference = createServer(
      { insecureHTTPParser: false, maxHeaderSize: 16_384, keepAlive: true },
      (incoming, outgoing) => {
        let body = ''
        incoming.on('data', (piece: Buffer) => (body += piece.toString('latin1')))
        incoming.on('end', () => {
          accepted.push(seenByNode(incoming, body))
          // Announced, because node:http otherwise gives up the connection of every HTTP/1.0 client.
          outgoing.writeHead(200, { 'content-length': 2 }).end('ok')
        })
      },
    )
    await new Promise<void>((resolve) => reference.listen(0, '127.0.0.1', () => resolve()))
    const count = { cases: 0, bothAccept: 0, bothRefuse: 0, stricter: 0 }
    try {
      await using ours = await serve()
      await fc.assert(
        fc.asyncProperty(anyRequests, async (pieces) => {
          accepted.length = ours.seen.length = 0
          await Promise.all([feed((reference.address() as AddressInfo).port, pieces), feed(ours.port, pieces)])
          expect(accepted.slice(0, ours.seen.length)).toEqual(ours.seen)
          count.cases++
          count.bothAccept += ours.seen.length
          if (ours.seen.length === 0 && accepted.length === 0) count.bothRefuse++
          if (ours.seen.length < accepted.length) count.stricter++
        }),
        { numRuns: RUNS, seed: SEED },
      )
    } finally {
      reference.closeAllConnections()
      await new Promise<void>((resolve) => reference.close(() => resolve()))
    }
    console.info('requests:', JSON.stringify(count))
    // A comparison that never saw one side of the decision proves nothing.
    expect(count.bothAccept).toBeGreaterThan(count.cases / 4)
    expect(count.bothRefuse).toBeGreaterThan(count.cases / 10)
    expect(count.stricter).toBeLessThan(count.cases / 2)
  },
)

test(
  'every response we accept, node:http accepts too and reads in exactly the same way',
  { timeout: 600_000 },
  async () => {
    let pieces: readonly string[] = []
    await using supplier = await rawServer((socket) => {
      socket.once('data', () => {
        socket.on('data', () => {})
        void play(socket, pieces)
      })
    })
    const count = { cases: 0, bothAccept: 0, bothRefuse: 0, stricter: 0 }
    await fc.assert(
      fc.asyncProperty(anyResponse, fc.constantFrom('GET', 'POST', 'HEAD'), async (answer, method) => {
        pieces = answer
        const client = createHttpClient({
          origin: new URL(`http://127.0.0.1:${supplier.port}`),
          maxConnections: 1,
          connectTimeoutMs: 10_000,
          maxHeadBytes: 16_384,
          idleTimeoutMs: 10_000,
        })
        const [ours, nodes] = await Promise.all([call(client, { method }), callByNode(supplier.port, method)])
        client.close()
        count.cases++
        if (ours.kind !== 'end') {
          if (nodes === undefined) count.bothRefuse++
          else count.stricter++
          return
        }
        count.bothAccept++
        expect(nodes).toEqual({ status: ours.status, headers: ours.headers, body: ours.body })
      }),
      { numRuns: RUNS, seed: SEED },
    )
    console.info('responses:', JSON.stringify(count))
    expect(count.bothAccept).toBeGreaterThan(count.cases / 4)
    expect(count.bothRefuse).toBeGreaterThan(count.cases / 10)
    expect(count.stricter).toBeLessThan(count.cases / 2)
  },
)

function seenByNode(incoming: IncomingMessage, body: string): Seen {
  const url = incoming.url ?? ''
  const mark = url.indexOf('?')
  return {
    method: incoming.method ?? '',
    path: mark < 0 ? url : url.slice(0, mark),
    query: mark < 0 ? '' : url.slice(mark + 1),
    headers: pairs(incoming.rawHeaders),
    body,
  }
}

function pairs(raw: readonly string[]): (readonly [string, string])[] {
  return raw.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), raw[i + 1]!] as const] : []))
}

/** Sends the pieces as separate reads, says that nothing more follows, and waits until the server is done. */
async function feed(port: number, pieces: readonly string[]): Promise<void> {
  const client = await dial(port)
  await play(client.socket, pieces)
  await client.ended()
}

async function play(socket: Socket, pieces: readonly string[]): Promise<void> {
  for (const piece of pieces) {
    socket.write(piece, 'latin1')
    await turn()
    await turn()
  }
  socket.end()
}

function callByNode(port: number, method: string) {
  return new Promise<{ status: number; headers: (readonly [string, string])[]; body: string } | undefined>(
    (resolve) => {
      const outgoing = request({ port, host: '127.0.0.1', method, path: '/x', agent: false, insecureHTTPParser: false })
      outgoing.on('response', (response) => {
        let body = ''
        response.on('data', (piece: Buffer) => (body += piece.toString('latin1')))
        response.on('error', () => resolve(undefined))
        response.on('close', () => {
          const whole = response.complete
          resolve(whole ? { status: response.statusCode ?? 0, headers: pairs(response.rawHeaders), body } : undefined)
        })
      })
      outgoing.on('upgrade', (_, socket) => {
        socket.destroy()
        resolve(undefined)
      })
      outgoing.on('error', () => resolve(undefined))
      outgoing.end()
    },
  )
}

import type { AddressInfo } from 'node:net'
import { createServer, type TlsOptions, type TLSSocket } from 'node:tls'
import { expect, test } from 'vitest'
import { createHttpClient, type ClientOptions } from '#platform/http'
import { call } from './calls.ts'
import { LOCAL_CERTIFICATE, LOCAL_KEY, OTHER_CERTIFICATE, OTHER_KEY } from './certificates.ts'
import { rawServer } from './support.ts'

const LOCAL = { cert: LOCAL_CERTIFICATE, key: LOCAL_KEY }
const OTHER = { cert: OTHER_CERTIFICATE, key: OTHER_KEY }

async function secureServer(options: TlsOptions, onRequest: (socket: TLSSocket) => void) {
  const names: unknown[] = []
  const sockets = new Set<TLSSocket>()
  const listener = createServer(options, (socket) => {
    sockets.add(socket)
    names.push(socket.servername)
    socket.on('error', () => {})
    socket.on('data', () => onRequest(socket))
  })
  listener.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', () => resolve()))
  return {
    port: (listener.address() as AddressInfo).port,
    names,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => listener.close(() => resolve()))
    },
  }
}

function clientTo(origin: string, trusted?: string): ReturnType<typeof createHttpClient> {
  const options: ClientOptions = {
    origin: new URL(origin),
    maxConnections: 4,
    connectTimeoutMs: 10_000,
    maxHeadBytes: 4096,
    idleTimeoutMs: 10_000,
  }
  return createHttpClient(trusted === undefined ? options : { ...options, trustedCertificates: trusted })
}

test('calls over TLS work, large ones too, reuse the connection and send the name', async () => {
  const payload = 'x'.repeat(300_000)
  await using supplier = await secureServer(LOCAL, (socket) =>
    socket.write(
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${payload.length.toString(16)}\r\n${payload}\r\n0\r\n\r\n`,
    ),
  )
  const client = clientTo(`https://localhost:${supplier.port}`, LOCAL_CERTIFICATE)
  for (let i = 0; i < 3; i++) {
    const { kind, body } = await call(client)
    expect(kind).toBe('end')
    expect(body === payload).toBe(true)
  }
  expect(supplier.names).toEqual(['localhost'])
  client.close()
  const byAddress = clientTo(`https://127.0.0.1:${supplier.port}`, LOCAL_CERTIFICATE)
  expect(await call(byAddress)).toMatchObject({ kind: 'end' })
  expect(supplier.names).toEqual(['localhost', false])
  byAddress.close()
})

test('an unknown authority, a certificate for another name and a server without TLS are tls_failed', async () => {
  let requests = 0
  await using unknown = await secureServer(LOCAL, () => requests++)
  const distrusting = clientTo(`https://localhost:${unknown.port}`)
  expect(await call(distrusting)).toMatchObject({ kind: 'tls_failed', reused: false })
  distrusting.close()

  await using misnamed = await secureServer(OTHER, () => requests++)
  const mistaken = clientTo(`https://localhost:${misnamed.port}`, OTHER_CERTIFICATE)
  expect(await call(mistaken)).toMatchObject({ kind: 'tls_failed', reused: false })
  mistaken.close()

  await using plain = await rawServer((socket) =>
    socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
  )
  const confused = clientTo(`https://localhost:${plain.port}`, LOCAL_CERTIFICATE)
  expect(await call(confused)).toMatchObject({ kind: 'tls_failed', reused: false })
  confused.close()
  expect(requests).toBe(0)
})

test('a handshake that never ends is given up after the connect limit', async () => {
  await using silent = await rawServer((socket) => socket.on('data', () => {}))
  const client = createHttpClient({
    origin: new URL(`https://localhost:${silent.port}`),
    maxConnections: 1,
    connectTimeoutMs: 30,
    maxHeadBytes: 4096,
    idleTimeoutMs: 10_000,
  })
  expect(await call(client)).toMatchObject({ kind: 'tls_failed' })
  client.close()
})

test('nobody listening is connect_failed over TLS as well', async () => {
  const gone = await rawServer(() => {})
  await gone[Symbol.asyncDispose]()
  const client = clientTo(`https://127.0.0.1:${gone.port}`)
  expect(await call(client)).toMatchObject({ kind: 'connect_failed' })
  client.close()
})

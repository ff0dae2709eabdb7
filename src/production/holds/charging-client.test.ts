import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { createChargingClient, isRefused } from './charging-client.ts'

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

/** A control plane that answers each call with the next of the given answers, the last again and again. */
async function controlPlane(...answers: Answer[]) {
  const seen: Array<{
    readonly method: string
    readonly path: string
    readonly authorization: string
    readonly body: string
  }> = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (piece: Buffer) => (body += piece.toString()))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      seen.push({ method, path: url, authorization: headers.authorization ?? '', body })
      answers[Math.min(seen.length, answers.length) - 1]?.(request, response, body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const client = createChargingClient({ origin: `http://127.0.0.1:${port}`, token: 'internal', timeoutMs: 300 })
  return {
    client,
    seen,
    async [Symbol.asyncDispose]() {
      client.closeConnections()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const json =
  (value: unknown, status = 200): Answer =>
  (_request, response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
const hangUp: Answer = (_request, response) => response.destroy()
const silence: Answer = () => {}

test('a call carries the token and comes back validated', async () => {
  await using control = await controlPlane(json({ epoch: 7 }))
  expect(await control.client.register('gw-0', 'journal-0')).toBe(7)
  expect(control.seen).toEqual([
    {
      method: 'POST',
      path: '/internal/v1/gateways/register',
      authorization: 'Bearer internal',
      body: '{"gateway":"gw-0","journal":"journal-0"}',
    },
  ])
})

test('records travel as the text that is in the journal', async () => {
  await using control = await controlPlane(json({ accepted: 2, duplicates: 0, quarantined: [] }))
  await control.client.usage('gw-0', [Buffer.from('{"id":1}'), Buffer.from('{"id":"é"}')])
  expect(control.seen[0]?.body).toBe('{"gateway":"gw-0","records":[{"id":1},{"id":"é"}]}')
})

test('an error of the server, a cut connection and silence are tried again', async () => {
  await using control = await controlPlane(json({}, 503), hangUp, json({ outcome: 'closed' }))
  expect(await control.client.close('gw-0', 'journal-0', 's', 3)).toEqual({ outcome: 'closed' })
  expect(control.seen).toHaveLength(3)
  await using mute = await controlPlane(silence, json({ slices: [] }))
  expect(await mute.client.openSlices('gw-0', 'journal-0')).toEqual([])
  expect(mute.seen).toHaveLength(2)
})

test('after the last attempt the call fails', async () => {
  await using control = await controlPlane(json({ title: 'no database' }, 500))
  await expect(control.client.register('gw-0', 'journal-0')).rejects.toThrow(/500.*no database/)
  expect(control.seen).toHaveLength(3)
})

test('a refusal is not repeated, and is told apart from an outage', async () => {
  await using control = await controlPlane(json({ title: 'unreadable' }, 422))
  const error: unknown = await control.client.usage('gw-0', [Buffer.from('{}')]).catch((cause: unknown) => cause)
  expect(isRefused(error)).toBe(true)
  expect(control.seen).toHaveLength(1)
  await using forbidden = await controlPlane(json({}, 401))
  expect(isRefused(await forbidden.client.register('gw-0', 'journal-0').catch((cause: unknown) => cause))).toBe(false)
})

test('a reply that does not keep the contract is an error, never a grant', async () => {
  await using control = await controlPlane(json({ outcome: 'granted', slice: { id: 's' } }))
  const request = { gateway: 'gw-0', epoch: 1, seq: 1, bucket: 'wallet:t', min: '1', want: '1' }
  await expect(control.client.grant(request)).rejects.toThrow()
})

test('a slice of another journal is told as such and not tried again', async () => {
  await using control = await controlPlane(json({ code: 'slice_of_other_journal' }, 409))
  expect(await control.client.close('gw-0', 'journal-0', 's', 0)).toEqual({ outcome: 'foreign' })
  expect(control.seen).toHaveLength(1)
})

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import type { Snapshot } from '#contract'
import { nullLog } from '#platform/log'
import { followSnapshots } from './gateway-snapshots.ts'

test('a snapshot that could not be applied is asked for again, not taken as known', async () => {
  const snapshot: Snapshot = { version: 7, tenants: [], keys: [], services: [], suppliers: [] }
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    if (request.url?.endsWith('?after=7')) response.writeHead(204).end()
    else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(snapshot))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stopping = new AbortController()
  const applied = Promise.withResolvers<Snapshot>()
  let attempts = 0
  const following = followSnapshots({
    controlUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token: 'token',
    log: nullLog,
    signal: stopping.signal,
    process: 'one',
    peersChanged: () => undefined,
    changed(next) {
      attempts += 1
      if (attempts === 1) throw new Error('no room')
      applied.resolve(next)
    },
  })
  expect((await applied.promise).version).toBe(7)
  stopping.abort()
  await following
  server.close()
  server.closeAllConnections()
  expect(asked.slice(0, 2)).toEqual(['/internal/v1/snapshot', '/internal/v1/snapshot'])
})

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { CloseReply, GrantReply, GrantRequest, RegisterReply, UsageBatch, UsageReply } from '#contract'
import type { Snapshot, UsageRecord } from '#contract'

/** The control plane as a gateway process knows it: a snapshot, slices for everybody who asks, and a place for records. */
export interface ControlPlane extends AsyncDisposable {
  readonly url: string
  /** Every record that arrived, by id. */
  readonly records: ReadonlyMap<string, UsageRecord>
  record(id: string | null): UsageRecord | undefined
  /** Drops the records that arrived until now. */
  forget(): void
}

export async function startControlPlane(snapshot: Snapshot): Promise<ControlPlane> {
  const records = new Map<string, UsageRecord>()
  let epoch = 0
  let slices = 0
  const routes: Readonly<Record<string, (body: unknown) => unknown>> = {
    '/internal/v1/gateways/register': () => RegisterReply.parse({ epoch: ++epoch }),
    '/internal/v1/slices': () => ({ slices: [] }),
    '/internal/v1/slices/close': () => CloseReply.parse({ outcome: 'closed' }),
    '/internal/v1/slices/grant': (body) => {
      const { bucket, want, epoch: asked } = GrantRequest.parse(body)
      const slice = { id: `slc_${++slices}`, bucket, epoch: asked, amount: want, tight: false }
      return GrantReply.parse({ outcome: 'granted', slice: { ...slice, validUntilMs: Date.now() + 3_600_000 } })
    },
    '/internal/v1/usage': (body) => {
      const batch = UsageBatch.parse(body)
      let duplicates = 0
      for (const record of batch.records) {
        if (records.has(record.id)) duplicates++
        records.set(record.id, record)
      }
      return UsageReply.parse({ accepted: batch.records.length - duplicates, duplicates, quarantined: [] })
    },
  }
  const server = createServer((request, response) => {
    void (async () => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://control')
      if (pathname === '/internal/v1/snapshot') {
        // One version for ever: whoever has it waits.
        if (searchParams.has('after')) return
        response.end(JSON.stringify(snapshot))
        return
      }
      const body = await textOf(request)
      const route = routes[pathname]
      response.statusCode = route ? 200 : 404
      response.end(JSON.stringify(route ? route(body === '' ? undefined : JSON.parse(body)) : {}))
    })().catch((error: unknown) => {
      response.statusCode = 400
      response.end(String(error))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    records,
    record: (id) => records.get(id ?? ''),
    forget: () => records.clear(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const piece of request) body += String(piece)
  return body
}

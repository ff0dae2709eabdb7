import { Agent, request as httpRequest } from 'node:http'
import { CloseReply, GrantReply, OpenSlicesReply, RegisterReply, UsageReply } from '#contract'
import type * as z from 'zod'
import type { ChargingClient } from './types.ts'

export interface ChargingClientOptions {
  /** The control plane, e.g. `http://127.0.0.1:8081`. */
  readonly origin: string
  /** The installation's internal token. */
  readonly token: string
  /** Per attempt. 2 s unless told. */
  readonly timeoutMs?: number
  /** Attempts per call; 3 unless told. */
  readonly attempts?: number
}

/** Charging answered, and not with what was asked for. */
class ChargingError extends Error {
  override readonly name = 'ChargingError'
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Whether charging read the call and will never accept it as it is: sending it again is pointless. */
export function isRefused(error: unknown): boolean {
  return error instanceof ChargingError && (error.status === 400 || error.status === 413 || error.status === 422)
}

const isTransient = (error: unknown): boolean =>
  !(error instanceof ChargingError) || error.status >= 500 || error.status === 429 || error.status === 408

const MAX_REPLY_BYTES = 16 * 1024 * 1024
const FIRST_RETRY_MS = 50
const COMMA = Buffer.from(',')
const NOTHING = Buffer.alloc(0)

/** Speaks `contract/gateway-api.ts` over HTTP with keep-alive. Every reply is validated. */
export function createChargingClient(options: ChargingClientOptions): ChargingClient & { closeConnections(): void } {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  const { timeoutMs = 2_000, attempts = 3 } = options

  async function call<T>(
    reply: z.ZodType<T>,
    method: string,
    path: string,
    body?: string | Buffer,
    limitMs = timeoutMs,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return reply.parse(JSON.parse(await exchange(method, path, body, limitMs)))
      } catch (error) {
        if (attempt >= attempts || !isTransient(error)) throw error
        await new Promise((resolve) => setTimeout(resolve, FIRST_RETRY_MS * 4 ** (attempt - 1)))
      }
    }
  }

  function exchange(method: string, path: string, body: string | Buffer | undefined, limitMs: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers: Record<string, string | number> = { authorization: `Bearer ${options.token}` }
      if (body !== undefined) {
        headers['content-type'] = 'application/json'
        headers['content-length'] = Buffer.byteLength(body)
      }
      // The signal bounds the whole exchange; the socket's own timeout would start again with every byte.
      const signal = AbortSignal.timeout(limitMs)
      const outgoing = httpRequest(new URL(path, options.origin), { method, agent, headers, signal }, (incoming) => {
        const parts: Buffer[] = []
        let bytes = 0
        incoming.on('data', (part: Buffer) => {
          bytes += part.length
          if (bytes > MAX_REPLY_BYTES) incoming.destroy(new Error(`${method} ${path}: the reply is too large`))
          else parts.push(part)
        })
        incoming.on('error', reject)
        incoming.on('end', () => {
          const text = Buffer.concat(parts).toString()
          const status = incoming.statusCode ?? 0
          if (status >= 200 && status < 300) resolve(text)
          else reject(new ChargingError(status, `${method} ${path}: ${status} ${text.slice(0, 300)}`))
        })
      })
      outgoing.on('error', reject)
      outgoing.end(body)
    })
  }

  return {
    async register(gateway, journal) {
      const request = JSON.stringify({ gateway, journal })
      const { epoch } = await call(RegisterReply, 'POST', '/internal/v1/gateways/register', request)
      return epoch
    },
    grant: (request) => call(GrantReply, 'POST', '/internal/v1/slices/grant', JSON.stringify(request)),
    async close(gateway, journal, slice, records) {
      const request = JSON.stringify({ gateway, journal, slice, records })
      try {
        return await call(CloseReply, 'POST', '/internal/v1/slices/close', request)
      } catch (error) {
        if (error instanceof ChargingError && error.status === 409) return { outcome: 'foreign' }
        throw error
      }
    },
    async openSlices(gateway, journal) {
      const query = new URLSearchParams({ gateway, journal }).toString()
      return (await call(OpenSlicesReply, 'GET', `/internal/v1/slices?${query}`)).slices
    },
    // The records were serialised once, for the journal. A large batch may take the database a while.
    usage: (gateway, records) =>
      call(UsageReply, 'POST', '/internal/v1/usage', usageBody(gateway, records), 5 * timeoutMs),
    closeConnections: () => agent.destroy(),
  }
}

function usageBody(gateway: string, records: readonly Buffer[]): Buffer {
  const parts: Buffer[] = []
  for (const record of records) parts.push(parts.length === 0 ? NOTHING : COMMA, record)
  return Buffer.concat([Buffer.from(`{"gateway":${JSON.stringify(gateway)},"records":[`), ...parts, Buffer.from(']}')])
}

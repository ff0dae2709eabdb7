import { createServer } from 'node:net'
import type { Target } from './jobs.ts'

/** Something that stands between the load generator and the mock supplier. */
export interface Contestant {
  readonly name: string
  readonly target: Target
  /** So slow that it is asked less, where the rate is fixed. */
  readonly slow: boolean
  /** The processes whose CPU and memory are measured. */
  gatewayPids(): readonly number[]
  /** Processes that work for it but are not on the request path; measured beside. */
  behindPids(): readonly number[]
  /** Work taken on and not yet handed over, such as records that wait to be posted; 0 where there is no such thing. */
  backlog(): Promise<number>
  stop(): Promise<void>
}

export const BENCH_KEY = 'sk-bench-0123456789abcdef0123456789abcdef'
export const CHAT_PATH = '/v1/chat/completions'

/** No gateway at all: what the rig itself costs. */
export function direct(mockPort: number): Contestant {
  return {
    name: 'direct',
    slow: false,
    target: { port: mockPort, path: CHAT_PATH, headers: { Authorization: `Bearer ${BENCH_KEY}` } },
    gatewayPids: () => [],
    behindPids: () => [],
    backlog: () => Promise.resolve(0),
    stop: () => Promise.resolve(),
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}

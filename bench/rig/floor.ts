import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BENCH_KEY, CHAT_PATH, type Contestant } from './contestant.ts'
import { processTree } from './measure.ts'
import { GATEWAY_CORES, launch, pinned, stop } from './processes.ts'

/** The least that public Node API can do, as a contestant: a relay on node:net, and the same with a durable record per whole answer. */
export async function startFloor(
  mockPort: number,
  scratch: string,
  { durable }: { readonly durable: boolean },
): Promise<Contestant> {
  const program = fileURLToPath(new URL('floor-proxy.ts', import.meta.url))
  const journal = durable ? [join(scratch, 'floor.journal')] : []
  const child = launch(pinned(GATEWAY_CORES, [process.execPath, program, String(mockPort), ...journal]), { ipc: true })
  const [message]: unknown[] = await once(child, 'message')
  if (typeof message !== 'object' || message === null || !('port' in message))
    throw new Error('the relay did not start')
  return {
    name: durable ? 'relay on node:net, durable' : 'relay on node:net',
    slow: false,
    target: { port: Number(message.port), path: CHAT_PATH, headers: { Authorization: `Bearer ${BENCH_KEY}` } },
    gatewayPids: () => processTree(child.pid ?? 0),
    behindPids: () => [],
    backlog: () => Promise.resolve(0),
    stop: () => stop(child),
  }
}

import { startFactory } from '../../test/factory.ts'
import { BENCH_MODEL } from './answers.ts'
import { CHAT_PATH, type Contestant } from './contestant.ts'
import { commandLine, processTree } from './measure.ts'
import { GATEWAY_CORES, LOAD_CORES, pin } from './processes.ts'

/** Yuan per million tokens. */
const SHEET = [
  { validFrom: '2026-01-01', taxPercent: 6, perMillion: { uncachedInput: '2', cacheRead: '1', output: '8' } },
]

function declaration(mockPort: number): string {
  return JSON.stringify({
    suppliers: [
      { id: 'mock', kind: 'openai-compatible', baseUrl: `http://127.0.0.1:${mockPort}/v1`, maxConcurrency: 100_000 },
    ],
    services: [
      {
        id: BENCH_MODEL,
        contextTokens: 131_072,
        maxOutputTokens: 4096,
        tokenizer: { kind: 'tiktoken', encoding: 'o200k_base' },
        timeouts: { firstByteMs: 60_000, idleMs: 60_000, totalMs: 600_000 },
        sell: SHEET,
        deployments: [{ supplier: 'mock', model: BENCH_MODEL, priority: 1, buy: SHEET }],
      },
    ],
    tenants: [
      {
        id: 'bench',
        limits: { requestsPerMinute: 10_000_000, tokensPerMinute: 100_000_000_000, maxConcurrency: 1_000_000 },
        topups: [{ reference: 'bench', amountYuan: '1000000' }],
      },
    ],
    keys: [
      {
        id: 'bench',
        tenant: 'bench',
        name: 'bench',
        limits: { requestsPerMinute: 10_000_000, tokensPerMinute: 100_000_000_000, maxConcurrency: 1_000_000 },
      },
    ],
  })
}

/**
 * The whole factory as it is started for real, with authentication, admission, holds, metering, the sampled recount and the journal
 * on. The gateway process is what is measured; control plane and PostgreSQL, which post its records meanwhile, are "behind" it.
 */
export async function startTokenFactory(
  mockPort: number,
  { workers, cores = GATEWAY_CORES }: { readonly workers: number; readonly cores?: string },
): Promise<Contestant> {
  const factory = await startFactory({
    document: declaration(mockPort),
    env: { GATEWAY_WORKERS: String(workers), LOG_LEVEL: 'warn', NODE_ENV: 'production' },
  })
  const gateway = processTree(factory.pid).find((pid) => commandLine(pid).includes('apps/gateway.ts'))
  if (gateway === undefined) throw new Error('the factory has no gateway process')
  const behind = (): readonly number[] => processTree(factory.pid).filter((pid) => pid !== gateway)
  pin(cores, [gateway])
  pin(LOAD_CORES, behind())
  return {
    name: workers === 1 ? 'token factory' : `token factory, ${workers} workers`,
    slow: false,
    target: {
      port: Number(new URL(factory.apiUrl).port),
      path: CHAT_PATH,
      headers: { Authorization: `Bearer ${factory.demoKey}` },
    },
    gatewayPids: () => [gateway],
    behindPids: behind,
    async backlog() {
      const text = await (await fetch(factory.apiUrl.replace(/\/v1$/, '/metrics'))).text()
      const waiting = /^tokenfactory_journal_unshipped_records (\d+)/m.exec(text)?.[1]
      if (waiting === undefined) throw new Error('the gateway does not tell its backlog')
      return Number(waiting)
    },
    stop: async () => factory[Symbol.asyncDispose](),
  }
}

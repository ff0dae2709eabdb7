import type { Voice } from './suppliers.ts'

/** The winners of package 1, as the demo has them: two that are honest and in time, one that lies about tokens, one that is late. */
export const WINNERS = [
  { id: 'teamsun', inflation: 0, ppm: 400_000, uscc: '91350100M000100Y43', deliveredAfterDays: 18 },
  { id: 'lexun', inflation: 0, ppm: 300_000, uscc: '91640100AAAAAAAA08', deliveredAfterDays: 22 },
  { id: 'hubei-bigdata', inflation: 0.08, ppm: 200_000, uscc: '91420100BBBBBBBB0E', deliveredAfterDays: 25 },
  { id: 'qingxin', inflation: 0, ppm: 100_000, uscc: '91640100CCCCCCCC00', deliveredAfterDays: 36 },
] as const satisfies readonly (Voice & { ppm: number; uscc: string; deliveredAfterDays: number })[]

export const SERVICE = 'deepseek/chat'
export const MODEL = 'deepseek-chat'

/** Yuan per million tokens that suppliers are paid, without tax: a thousand times of what is usual, as each request stands for many. */
export const BUY = { uncachedInput: 1000, output: 4000 }

/** What the operator sells of it, and to whom. */
export function factoryFile(urlOf: (supplier: string) => string): string {
  const suppliers = WINNERS.map(
    ({ id }) => `  - { id: ${id}, kind: openai-compatible, baseUrl: ${urlOf(id)}, maxConcurrency: 64 }`,
  )
  const deployments = WINNERS.map(
    ({ id }) =>
      `      - { supplier: ${id}, model: ${MODEL}, priority: 1, needsLot: true, buy: [{ validFrom: 2026-01-01, taxPercent: 6, perMillion: { uncachedInput: ${BUY.uncachedInput}, output: ${BUY.output} } }] }`,
  )
  return `suppliers:
${suppliers.join('\n')}
services:
  - id: ${SERVICE}
    name: DeepSeek Chat
    contextTokens: 65536
    maxOutputTokens: 512
    tokenizer: { kind: tiktoken, encoding: o200k_base }
    sell: [{ validFrom: 2026-01-01, taxPercent: 6, perMillion: { uncachedInput: 2200, output: 8000 } }]
    deployments:
${deployments.join('\n')}
tenants:
  - { id: acme, name: 安客科技, topups: [{ reference: demo-acme, amountYuan: 1000 }] }
  - { id: globex, name: 环球软件, credit: { limitYuan: 500 } }
keys:
  - { id: acme, tenant: acme }
  - { id: globex, tenant: globex }
`
}

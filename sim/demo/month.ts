import { setTimeout as sleep } from 'node:timers/promises'
import { startInProcess } from '../../test/gateway/in-process.ts'
import { atChina } from './procure.ts'
import type { Story } from './procure.ts'
import { SERVICE, WINNERS } from './market.ts'
import type { startSuppliers } from './suppliers.ts'

/** When the last supplier has been accepted. */
const FIRST_DAY = '2026-07-08'
const DAYS = 24
const REQUESTS_PER_DAY = 50
const TENANTS = ['acme', 'globex'] as const

/** July: real requests through the real gateway, which knows the accepted capacity and the awarded shares. */
export async function serveJuly(story: Story, keys: ReadonlyMap<string, string>): Promise<void> {
  const { world, clock, tell } = story
  let asked = 0
  let failed = 0
  for (let day = 0; day < DAYS; day++) {
    clock.advance(atChina(`${FIRST_DAY}T08:00`) + day * 86_400_000 - clock.nowMs())
    const snapshot = await world.catalogue.snapshot()
    await using gateway = await startInProcess({
      charging: world.charging,
      snapshot,
      clock,
      firstRequest: asked + 1,
      recounts: true,
    })
    for (let i = 0; i < REQUESTS_PER_DAY; i++) {
      asked++
      clock.advance(17 * 60_000)
      const reply = await fetch(`${gateway.url}/chat/completions`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${keys.get(TENANTS[i % 2] ?? '') ?? ''}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({
          model: SERVICE,
          max_tokens: 400,
          messages: [{ role: 'user', content: `Request ${asked}: what was metered on day ${day + 1}, and for whom?` }],
        }),
      })
      await reply.text()
      if (!reply.ok) failed++
    }
    while (!gateway.isAtRest()) await sleep(5)
    await world.quality.digest()
  }
  tell(`served: ${asked - failed} of ${asked} requests in ${DAYS} days`)
  const usage = await world.charging.usage({ by: 'supplier', fromMs: 0 })
  const tokens = usage.map(({ group, tokens: each }) => ({
    group,
    sum: each.uncachedInput + each.cacheRead + each.output,
  }))
  const total = tokens.reduce((sum, each) => sum + each.sum, 0)
  for (const { id, ppm } of WINNERS) {
    const share = (tokens.find(({ group }) => group === id)?.sum ?? 0) / Math.max(1, total)
    tell(`  ${id}: ${(share * 100).toFixed(1)} % of the tokens, ${ppm / 10_000} % awarded`)
  }
  for (const one of await world.quality.cases({}))
    tell(`token audit: ${one.supplier} is flagged (${one.side} of ${one.model}), case ${one.id}`)
}

/** What a supplier sends at the end of a month: one line per day and model, by its own books. */
export function statementOf(
  suppliers: Awaited<ReturnType<typeof startSuppliers>>,
  id: string,
  buy: { uncachedInput: number; output: number },
): string {
  // What acceptance asked for before that is not charged.
  const sold = suppliers.soldBy(id).filter(({ day }) => day >= FIRST_DAY)
  const lines = sold.map(({ day, input, output }) => {
    // Millionths of a yuan, exact.
    const amount = BigInt(input) * BigInt(buy.uncachedInput) + BigInt(output) * BigInt(buy.output)
    return `${day},deepseek-chat,${input},${output},${amount}\r\n`
  })
  return `day,model,input,output,amount\r\n${lines.join('')}`
}

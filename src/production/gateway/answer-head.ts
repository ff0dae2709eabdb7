import type { UsageRecord } from '#contract'
import { formatYuan } from '#kernel'
import { debitsOf } from './draws.ts'
import type { Flight } from './flight.ts'

/** What a whole answer's head says of its price, after the fact. */
export function chargeHead(flight: Flight, record: UsageRecord): string {
  const head = `x-factory-charge-pico: ${record.sellPico}\r\nx-factory-charge-yuan: ${formatYuan(BigInt(record.sellPico))}\r\n`
  if (!record.draws) return head
  const debits = [...debitsOf(flight.parts, record.draws)].map(([unit, amount]) => `${unit}=${amount}`)
  return debits.length > 0 ? `${head}x-factory-debit: ${debits.join(', ')}\r\n` : head
}

/** The same as the last words of a stream: a comment, which every reader of server-sent events passes over. */
export function chargeComment(flight: Flight, record: UsageRecord): string {
  const debits = record.draws ? Object.fromEntries(debitsOf(flight.parts, record.draws)) : {}
  const continued = flight.continued > 0 ? { continued: flight.continued } : {}
  const shortened = flight.isShortened ? { outputCap: flight.outputCap } : {}
  return `: x-factory ${JSON.stringify({ chargeYuan: formatYuan(BigInt(record.sellPico)), debits, ...shortened, ...continued })}\n\n`
}

/** What an answer's head says before it is known what it costs: the tier, and where the account paid for a shorter answer only. */
export function termsHead(flight: Flight): string {
  const tier = tierHead(flight) + servedHead(flight)
  return flight.isShortened ? `${tier}x-factory-output-cap: ${flight.outputCap}\r\n` : tier
}

/** Who served it, after how many attempts, for tenants that may know. */
function servedHead({ caller, lastLine, running, attempts }: Flight): string {
  const served = running ?? lastLine
  if (!caller.seesSuppliers || !served) return ''
  const { supplierId, model } = served.line
  return (
    `x-factory-supplier: ${supplierId}\r\nx-factory-model: ${model.replace(/[^\x21-\x7e]/g, '?')}\r\n` +
    `x-factory-attempts: ${attempts.length + (running ? 1 : 0)}\r\n`
  )
}

/** Which tier is served and billed, said to who asked for one. */
export function tierHead({ request, tier }: Pick<Flight, 'request' | 'tier'>): string {
  return request.serviceTier === undefined ? '' : `x-factory-service-tier: ${tier}\r\n`
}

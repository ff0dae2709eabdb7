import type { Transaction } from '#platform/postgres'
import { lockPeriods, refillPeriod } from '../bucket/store.ts'
import { definitionReused, unknownDefinition } from '../problems.ts'
import type { Definition } from './model.ts'
import { lockDefinition, writeDefinition } from './store.ts'

/**
 * Files what fills a bucket with each period. Whose it is and what it is of never changes under one id; amount and validity do,
 * and the period that runs gets or loses the difference, as far as gateways do not hold it.
 */
export async function putDefinition(
  tx: Transaction,
  definition: Definition,
  nowMs: number,
): Promise<'created' | 'updated' | 'unchanged'> {
  const { id, tenant, kind, unit, period, amount } = definition
  if (!id.startsWith(`${kind}:`) || amount < 0n || (kind === 'throughput') !== (definition.terms !== undefined))
    throw definitionReused({ id })
  const before = await lockDefinition(tx, id)
  if (before && (before.tenant !== tenant || before.kind !== kind || before.unit !== unit || before.period !== period))
    throw definitionReused({ id })
  if (before && isSame(before, definition)) return 'unchanged'
  await writeDefinition(tx, definition)
  if (before) await refillRunning(tx, id, amount - before.amount, nowMs)
  return before ? 'updated' : 'created'
}

function isSame(before: Definition, after: Definition): boolean {
  const text = (definition: Definition) => {
    const { services, window, overflow } = definition.terms ?? {}
    return JSON.stringify([
      `${definition.amount}`,
      definition.validFromMs,
      definition.validToMs,
      [services, window && [window.fromMinute, window.toMinute], overflow],
    ])
  }
  return text(before) === text(after)
}

async function refillRunning(tx: Transaction, definition: string, change: bigint, nowMs: number): Promise<void> {
  if (change === 0n) return
  for (const { id, posted, escrowed } of await lockPeriods(tx, definition, nowMs)) {
    const least = escrowed - posted
    await refillPeriod(tx, id, change > least ? change : least)
  }
}

/** No period that begins from then on is filled. Ending again later changes nothing. Throws `unknown_definition`. */
export async function endDefinition(tx: Transaction, { id, atMs }: { id: string; atMs: number }): Promise<void> {
  const before = await lockDefinition(tx, id)
  if (!before) throw unknownDefinition({ id })
  if (before.validToMs !== null && before.validToMs <= atMs) return
  await writeDefinition(tx, { ...before, validToMs: atMs })
}

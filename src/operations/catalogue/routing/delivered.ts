import { hash } from 'node:crypto'
import type { Charging } from '#charging'
import type { Commitment, SignedCommitment } from '#contract'
import type { Database } from '#platform/postgres'
import { noteDelivered, selectCommitments } from './store.ts'

/** So often gateways are told anew how far contracts are; meanwhile each goes on from its own count. */
const TELL_EVERY_MS = 60_000
/** Records come late by what a gateway was cut off for; what is older is taken to be complete. */
const SETTLED_AFTER_MS = 48 * 3_600_000

export type Deliveries = Pick<Charging, 'deliveredTokens'>

/** The contracts with what was delivered under them, as gateways are told: those of the file, and those that agreements bring (`signed`). */
export interface Commitments {
  read(signed: readonly SignedCommitment[], nowMs: number): Promise<Commitment[]>
  /** Has gateways told when it is time and anything changed. */
  note(signed: () => Promise<readonly SignedCommitment[]>, nowMs: number): Promise<void>
}

/** What was added up for one contract. */
interface Sums {
  /** For what it was: other terms begin anew. */
  readonly of: string
  /** What will not change any more, so that a year is not added up every minute. */
  readonly settledTokens: number
  readonly settledToMs: number
  readonly delivered: number
  readonly countedToMs: number
}

export function createCommitments(database: Database, deliveries: Deliveries): Commitments {
  const sums = new Map<string, Sums>()
  let notedAtMs = -Infinity

  const addUp = async (row: SignedCommitment, nowMs: number): Promise<Sums> => {
    const of = JSON.stringify([row.supplier, row.services, row.fromMs, row.toMs])
    const known = sums.get(row.id)
    const isKnown = known?.of === of && nowMs >= known.countedToMs
    if (isKnown && nowMs < known.countedToMs + TELL_EVERY_MS) return known
    const before = isKnown ? known : { settledTokens: 0, settledToMs: row.fromMs }
    const span = { supplier: row.supplier, services: row.services }
    const countedToMs = Math.max(row.fromMs, nowMs)
    const settledToMs = Math.max(before.settledToMs, hourOf(nowMs - SETTLED_AFTER_MS))
    const older = await deliveries.deliveredTokens({ ...span, fromMs: before.settledToMs, toMs: settledToMs })
    const newer = await deliveries.deliveredTokens({ ...span, fromMs: settledToMs, toMs: countedToMs })
    const settledTokens = before.settledTokens + older
    const made = { of, settledTokens, settledToMs, delivered: settledTokens + newer, countedToMs }
    sums.set(row.id, made)
    return made
  }
  const read = async (signed: readonly SignedCommitment[], nowMs: number): Promise<Commitment[]> => {
    const commitments: Commitment[] = []
    for (const row of [...(await selectCommitments(database)), ...signed]) {
      if (row.toMs <= nowMs) continue
      const { delivered, countedToMs } = await addUp(row, nowMs)
      commitments.push({ ...row, delivered, countedToMs })
    }
    return commitments
  }

  return {
    read,
    async note(signed, nowMs) {
      if (nowMs >= notedAtMs && nowMs < notedAtMs + TELL_EVERY_MS) return
      notedAtMs = nowMs
      const counts = (await read(await signed(), nowMs))
        .filter(({ delivered }) => delivered > 0)
        .map(({ id, delivered }) => [id, delivered])
      await noteDelivered(database, counts.length === 0 ? '' : hash('sha256', JSON.stringify(counts), 'base64'))
    },
  }
}

function hourOf(ms: number): number {
  return ms - (ms % 3_600_000)
}

import { chinaDate } from '#kernel'
import type { Clock } from '#platform/clock'
import type { Database } from '#platform/postgres'
import { parseFen } from '../model/fen.ts'
import type { FapiaoGateway } from './gateway.ts'
import { flawOfRequest } from './model.ts'
import { simulateNumber } from './store.ts'

/** Ningxia's code in the numbers of digital invoices, and a channel of our own choice. */
const REGION = '64'
const CHANNEL = '9'

/**
 * Stands for a tax platform on this machine: it checks requests, numbers them with 20 digits (year, region, channel, sequence),
 * has a quota, and reverses invoices by the red-letter procedure. It is not connected to any authority, and what it numbers is no
 * tax invoice.
 */
export function createFapiaoSimulator({ database, clock }: { database: Database; clock: Clock }): FapiaoGateway {
  const prefix = () => `${chinaDate(clock.nowMs()).slice(2, 4)}${REGION}${CHANNEL}`
  return {
    async issue(request) {
      const flaw = flawOfRequest(request)
      if (flaw !== undefined) return { outcome: 'refused', reason: flaw }
      const wanted = { request: request.requestId, prefix: prefix(), amountFen: parseFen(request.totals.amount) }
      const number = await simulateNumber(database, wanted)
      return number === undefined ? { outcome: 'refused', reason: 'quota exhausted' } : { outcome: 'issued', number }
    },
    requestRed: async ({ requestId }) => ({ outcome: 'requested', confirmation: `red_${requestId}` }),
    redStatus: async () => ({ outcome: 'confirmed' }),
    async issueRed(confirmation) {
      const number = await simulateNumber(database, { request: confirmation, prefix: prefix(), amountFen: 0n })
      return number === undefined ? { outcome: 'refused', reason: 'quota exhausted' } : { outcome: 'issued', number }
    },
  }
}

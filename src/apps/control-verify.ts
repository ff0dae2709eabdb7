import type { Context, Hono } from 'hono'
import type { VerifyProgress, VerifyReply } from '#contract'
import type { Billing } from '#billing'
import type { Catalogue } from '#catalogue'
import type { Charging } from '#charging'
import type { Settlement } from '#settlement'
import type { Caller } from './control-caller.ts'
import { LINES, linesOf } from './control-lines.ts'

interface Rooms {
  readonly charging: Charging
  readonly catalogue: Catalogue
  readonly billing: Billing
  readonly settlement: Settlement
  readonly operator: (context: Context) => Promise<Caller>
}

/** Proving the books, with lines of progress for those who accept them: a busy year takes minutes. */
export function addVerify(api: Hono, { charging, catalogue, billing, settlement, operator }: Rooms): void {
  const prove = async (onProgress?: (progress: VerifyProgress) => void): Promise<VerifyReply> => {
    const books = await charging.verify(await catalogue.ratingSources(), onProgress)
    const documents = await billing.verify()
    const settled = await settlement.verify()
    return {
      ok: books.ok && documents.ok && settled.ok,
      checks: [...books.checks, ...documents.checks, ...settled.checks],
    }
  }
  api.post('/verify', async (context) => {
    await operator(context)
    if (context.req.header('accept') !== LINES) return context.json(await prove())
    return context.body(linesOf(prove), 200, { 'content-type': LINES })
  })
}

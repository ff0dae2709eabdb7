import type { Context, Hono } from 'hono'
import type { VerifyProgress, VerifyReply } from '#contract'
import type { Billing } from '#billing'
import type { Catalogue } from '#catalogue'
import type { Charging } from '#charging'
import type { Caller } from './control-caller.ts'

interface Rooms {
  readonly charging: Charging
  readonly catalogue: Catalogue
  readonly billing: Billing
  readonly operator: (context: Context) => Promise<Caller>
}

/** How often somebody who waits is told how far it is. */
const TELL_EVERY_MS = 200
const LINES = 'application/x-ndjson'

/** Proving the books, with lines of progress for those who accept them: a busy year takes minutes. */
export function addVerify(api: Hono, { charging, catalogue, billing, operator }: Rooms): void {
  const prove = async (onProgress?: (progress: VerifyProgress) => void): Promise<VerifyReply> => {
    const books = await charging.verify(await catalogue.ratingSources(), onProgress)
    const documents = await billing.verify()
    return { ok: books.ok && documents.ok, checks: [...books.checks, ...documents.checks] }
  }
  api.post('/verify', async (context) => {
    await operator(context)
    if (context.req.header('accept') !== LINES) return context.json(await prove())
    return context.body(linesOf(prove), 200, { 'content-type': LINES })
  })
}

/** A failure breaks the answer off, so that nobody takes what came before for the whole. */
function linesOf(prove: (onProgress: (progress: VerifyProgress) => void) => Promise<VerifyReply>): ReadableStream {
  const encoder = new TextEncoder()
  let isGone = false
  let toldMs = 0
  return new ReadableStream({
    async start(controller) {
      const write = (line: object): void => {
        if (!isGone) controller.enqueue(encoder.encode(`${JSON.stringify(line)}\n`))
      }
      try {
        const reply = await prove((progress) => {
          const nowMs = performance.now()
          if (progress.done > 0 && nowMs - toldMs < TELL_EVERY_MS) return
          toldMs = nowMs
          write({ progress })
        })
        write({ reply })
        if (!isGone) controller.close()
      } catch (error) {
        if (!isGone) controller.error(error)
      }
    },
    cancel() {
      isGone = true
    },
  })
}

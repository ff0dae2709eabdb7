import type { Context } from 'hono'
import type * as z from 'zod'
import { bodyTooLarge, checked, invalidRequest, notJson } from './control-problems.ts'

/** Reads a JSON body of at most `limitBytes`, however it is sent, and checks it. */
export async function readBody<Schema extends z.ZodType>(
  context: Context,
  schema: Schema,
  limitBytes: number,
): Promise<z.output<Schema>> {
  // Requiring this type means that no form of another site can send it without asking the browser first.
  if (!/^application\/json\s*(?:;|$)/i.test(context.req.header('content-type') ?? '')) throw notJson({})
  const text = await readText(context, limitBytes)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw invalidRequest({ issues: [{ path: '', message: 'the body is not JSON' }] })
  }
  const known = checked(schema, value)
  if (holdsNul(known)) throw invalidRequest({ issues: [{ path: '', message: 'the character NUL cannot be stored' }] })
  return known
}

/** The database refuses NUL in any text, and would do so as a failure of ours. */
function holdsNul(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\0')
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).some(holdsNul)
}

async function readText(context: Context, limitBytes: number): Promise<string> {
  if (Number(context.req.header('content-length') ?? 0) > limitBytes) throw bodyTooLarge({ limitBytes })
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of context.req.raw.body ?? []) {
    bytes += piece.byteLength
    if (bytes > limitBytes) throw bodyTooLarge({ limitBytes })
    pieces.push(piece)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces))
  } catch {
    throw invalidRequest({ issues: [{ path: '', message: 'the body is not UTF-8' }] })
  }
}

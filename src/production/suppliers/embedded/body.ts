import type { IncomingMessage } from 'node:http'
import { bodyTooLarge, invalidRequest } from './problems.ts'

/** Reads a request's JSON. Throws `bodyTooLarge` as soon as the limit is passed, and `invalidRequest` for what is not JSON. */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  return parseJson(await readBody(request, maxBytes))
}

async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw bodyTooLarge({ maxBytes })
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += piece.length
    if (size > maxBytes) throw bodyTooLarge({ maxBytes })
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw invalidRequest({ param: null, message: 'The request body is not valid JSON.' })
  }
}

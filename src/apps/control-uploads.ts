import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Context } from 'hono'
import { bodyTooLarge, notAFile } from './control-problems.ts'

export interface Upload extends AsyncDisposable {
  readonly path: string
  readonly bytes: number
}

/** Takes a body of any kind into a file of its own, which is gone when it is disposed of. */
export async function receiveFile(context: Context, limitBytes: number): Promise<Upload> {
  // No form of another site can send this type without asking the browser first.
  if (!/^application\/octet-stream\s*(?:;|$)/i.test(context.req.header('content-type') ?? '')) throw notAFile({})
  if (Number(context.req.header('content-length') ?? 0) > limitBytes) throw bodyTooLarge({ limitBytes })
  const folder = await mkdtemp(join(tmpdir(), 'tokenfactory-upload-'))
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    const path = join(folder, 'file')
    await pipeline(
      Readable.from(context.req.raw.body ?? []),
      async function* (source: AsyncIterable<Uint8Array>) {
        let bytes = 0
        for await (const piece of source) {
          bytes += piece.byteLength
          if (bytes > limitBytes) throw bodyTooLarge({ limitBytes })
          yield piece
        }
      },
      createWriteStream(path, { mode: 0o600 }),
    )
    return { path, bytes: (await stat(path)).size, [Symbol.asyncDispose]: remove }
  } catch (error) {
    await remove()
    throw error
  }
}

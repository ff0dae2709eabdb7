import { Readable } from 'node:stream'

/** Text that comes in parts as the body of an answer: parts are made as they are taken. */
export function byteStream(parts: AsyncIterable<string>): ReadableStream {
  return Readable.toWeb(Readable.from(parts, { objectMode: false })) as ReadableStream
}

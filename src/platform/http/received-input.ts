import { append, createByteStore, type ByteStore } from './byte-store.ts'

/** Bytes of a connection that were received and not yet understood. */
export interface ReceivedInput {
  /** Received and not yet consumed: `input` from `at` on. */
  input: Buffer | undefined
  at: number
  /** Backing of `input` when it had to be put together from several reads. */
  store: ByteStore | undefined
  /** Up to where an unfinished head was already searched. */
  searched: number
}

/** Puts what has just arrived behind what is left of earlier reads. */
export function join(c: ReceivedInput, chunk: Buffer): void {
  const input = c.input!
  // A partly consumed store is left behind, or what was consumed at its front would never be freed.
  if (c.store === undefined || c.at > 0) {
    c.store = createByteStore(input.length - c.at + chunk.length)
    append(c.store, input, c.at, input.length)
    c.searched -= c.at
    c.at = 0
  }
  append(c.store, chunk, 0, chunk.length)
  c.input = c.store.bytes.subarray(0, c.store.length)
}

/** Marks input up to `at` as consumed. */
export function consume(c: ReceivedInput, at: number): void {
  if (at >= c.input!.length) dropInput(c)
  else c.at = c.searched = at
}

export function dropInput(c: ReceivedInput): void {
  c.input = undefined
  c.store = undefined
  c.at = 0
  c.searched = 0
}

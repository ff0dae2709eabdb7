/**
 * A growing run of bytes. Doubling keeps a message that trickles in byte by byte linear in time and within twice its size
 * in memory, where a list of pieces would cost a hundred bytes per byte.
 */
export interface ByteStore {
  bytes: Buffer
  length: number
}

export function createByteStore(expectedBytes: number): ByteStore {
  return { bytes: Buffer.allocUnsafeSlow(Math.max(expectedBytes, 256)), length: 0 }
}

export function append(store: ByteStore, source: Buffer, from: number, to: number): void {
  const needed = store.length + to - from
  if (needed > store.bytes.length) {
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, store.bytes.length * 2))
    store.bytes.copy(grown, 0, 0, store.length)
    store.bytes = grown
  }
  source.copy(store.bytes, store.length, from, to)
  store.length = needed
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20
/** Templates in a row that fitted no event before learning is given up: some suppliers pad every event with random bytes. */
const MAX_BARREN = 4
const MAX_TEMPLATE_BYTES = 1024

/**
 * The shape of a stream's events. An engine repeats every byte of an event but the text, so an event whose bytes before and after
 * its text equal those of an event that was understood means the same, and needs no decoding at all.
 */
export class EventTemplate {
  /** Where the text of the event that `match` recognised lies. */
  textStart = 0
  textEnd = 0
  /** What precedes the text, then what follows it. */
  private bytes: Buffer | undefined
  private prefixLength = 0
  private barren = 0
  private hasMatched = true

  /** Remembers an event `[start, end)` whose text `[textStart, textEnd)` is a JSON string without escapes. */
  learn(chunk: Buffer, start: number, textStart: number, textEnd: number, end: number): void {
    this.barren = this.hasMatched ? 0 : this.barren + 1
    this.hasMatched = false
    const prefixLength = textStart - start
    const length = prefixLength + end - textEnd
    if (this.barren > MAX_BARREN || length > MAX_TEMPLATE_BYTES) {
      this.bytes = undefined
      return
    }
    if (this.bytes?.length !== length) this.bytes = Buffer.allocUnsafeSlow(length)
    chunk.copy(this.bytes, 0, start, textStart)
    chunk.copy(this.bytes, prefixLength, textEnd, end)
    this.prefixLength = prefixLength
  }

  get isLearning(): boolean {
    return this.barren <= MAX_BARREN
  }

  /** Where the event that begins at `start` ends if it has the remembered shape and is whole, else -1. */
  match(chunk: Buffer, start: number): number {
    const { bytes, prefixLength } = this
    if (bytes === undefined) return -1
    const textStart = start + prefixLength
    if (textStart >= chunk.length || bytes.compare(chunk, start, textStart, 0, prefixLength) !== 0) return -1
    let at = textStart
    for (; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0
      if (byte === QUOTE) break
      if (byte === BACKSLASH || byte < SPACE) return -1
    }
    const end = at + bytes.length - prefixLength
    if (end > chunk.length || bytes.compare(chunk, at, end, prefixLength) !== 0) return -1
    this.hasMatched = true
    this.textStart = textStart
    this.textEnd = at
    return end
  }
}

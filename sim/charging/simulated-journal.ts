import type { Journal, JournalEntry } from '#platform/journal'

/** A disk that keeps what it acknowledged, forgets any tail of the rest, and makes every discard durable at once. */
export function journalModel(id = 'journal-0') {
  let durable: JournalEntry[] = []
  let pending: Array<{ entry: JournalEntry; callback: ((error: Error | null) => void) | undefined }> = []
  let nextSeq = 1
  let floor = 1
  const opened = new Set<string>()

  function write(entry: JournalEntry): void {
    // An entry below the mark is gone even if it was written after it.
    if (entry.seq >= floor) durable.push(entry)
    const parsed = JSON.parse(entry.payload.toString()) as { t: string; request?: { id: string } }
    if (parsed.t === 'open' && parsed.request) opened.add(parsed.request.id)
  }

  return {
    open(): Journal {
      return {
        id,
        append(payload, callback) {
          pending.push({ entry: { seq: nextSeq, payload: Buffer.from(payload) }, callback })
          return nextSeq++
        },
        discardBefore(seq) {
          floor = Math.max(floor, Math.min(seq, nextSeq))
          durable = durable.filter((entry) => entry.seq >= floor)
        },
        recovered: [...durable],
        failed: null,
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }
    },
    sync(count: number): void {
      for (const { entry, callback } of pending.splice(0, count)) {
        write(entry)
        callback?.(null)
      }
    },
    crash(writtenPercent: number): void {
      const written = pending.slice(0, Math.floor((pending.length * writtenPercent) / 100))
      for (const { entry } of written) write(entry)
      pending = []
      nextSeq = Math.max(floor, (durable.at(-1)?.seq ?? 0) + 1)
    },
    opened: () => [...opened],
    kept: () => durable.length + pending.length,
  }
}

/** One durable entry as it comes back on opening: `seq` counts up across the journal's life. */
export interface JournalEntry {
  readonly seq: number
  readonly payload: Buffer
}

/**
 * An append-only, crash-safe log with group commit. What `append` has acknowledged survives `kill -9` and power loss; what was
 * not acknowledged is either whole or absent after a restart, never torn.
 */
export interface Journal extends AsyncDisposable {
  /**
   * Random, made with the journal and on stable storage before it opens: the same as long as nothing that was acknowledged is lost.
   * A journal that was deleted, replaced or damaged opens under a new one.
   */
  readonly id: string
  /** Queues a copy of an entry and returns its seq at once. `durable` is called, in order, after the entry is on stable storage. */
  append(payload: string | Buffer, durable?: (error: Error | null) => void): number
  /** Entries with `seq` below this are no longer needed; their space is given back in whole segments. */
  discardBefore(seq: number): void
  /** Entries found on opening, oldest first, from the first that was not discarded. */
  readonly recovered: readonly JournalEntry[]
  /** Set once the disk refused a write: nothing more will be acknowledged. */
  readonly failed: Error | null
}

/** Acknowledged entries that could not be read back: what a rotten disk did, never a crash. */
export interface JournalDamage {
  /** The last entry that was recovered. */
  readonly afterSeq: number
  readonly files: readonly string[]
}

import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/**
 * Takes the directory for this process alone and returns the release. Throws if another process or thread has it.
 *
 * Node has no file locks of its own; an exclusive SQLite transaction on an empty file is a kernel lock, so it dies with its
 * process or worker thread however that ends, and no stale lock file can ever keep a gateway from starting again.
 */
export function lockDirectory(dir: string): () => void {
  const database = new DatabaseSync(join(dir, 'lock'))
  try {
    database.exec('pragma busy_timeout = 0; pragma journal_mode = memory; begin exclusive')
  } catch (cause) {
    database.close()
    throw new Error(`the journal in ${dir} is already open in another process or thread`, { cause })
  }
  return () => database.close()
}

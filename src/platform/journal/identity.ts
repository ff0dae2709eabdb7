import * as fs from 'node:fs'
import { join } from 'node:path'
import { syncDirectory } from './segment-files.ts'

const IDENTITY_NAME = 'identity'
const IDENTITY = /^[0-9a-f]{32}$/

export function readIdentity(dir: string): string | undefined {
  const path = join(dir, IDENTITY_NAME)
  const text = fs.existsSync(path) ? fs.readFileSync(path, 'utf8').trim() : ''
  return IDENTITY.test(text) ? text : undefined
}

/** On stable storage, name and content, when it returns; killed before that, the old identity or none is found. */
export function writeIdentity(dir: string, id: string): void {
  const fresh = join(dir, `${IDENTITY_NAME}.tmp`)
  const fd = fs.openSync(fresh, 'w', 0o600)
  try {
    fs.writeSync(fd, `${id}\n`)
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
  fs.renameSync(fresh, join(dir, IDENTITY_NAME))
  syncDirectory(dir)
}

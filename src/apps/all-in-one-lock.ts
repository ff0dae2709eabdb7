import { spawnSync } from 'node:child_process'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StartError } from './all-in-one-start-error.ts'

export interface DataLock {
  /** True when the last holder died without releasing it (`kill -9`, power loss). */
  readonly afterCrash: boolean
  release(): void
}

/** A process number alone may have been given to somebody else since; together with its start time it has not. */
interface Holder {
  readonly pid: number
  readonly startedAt: string
}

/** Takes the data directory for this process, or throws one line that names the process that has it. */
export function lockDataDir(dataDir: string): DataLock {
  const path = join(dataDir, 'lock')
  const mine = `${path}.${process.pid}`
  const text = `${JSON.stringify({ pid: process.pid, startedAt: startOf(process.pid) ?? '' } satisfies Holder)}\n`
  writeFileSync(mine, text, { mode: 0o600 })
  let afterCrash = false
  try {
    for (let attempt = 0; attempt < 20; attempt++) {
      if (linked(mine, path)) return { afterCrash, release: () => release(path, text) }
      const found = read(path)
      if (found === undefined) continue // released just now
      const holder = parse(found)
      if (holder && startOf(holder.pid) === holder.startedAt) {
        throw new StartError(
          `${dataDir} is in use by another instance (process ${holder.pid}): stop it, or set DATA_DIR`,
        )
      }
      afterCrash = true
      setAside(path, found)
    }
    throw new StartError(`${path} cannot be taken: other instances keep changing it`)
  } finally {
    rmSync(mine, { force: true })
  }
}

/** A hard link is made by exactly one of those who try at the same time. */
function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Removes a dead holder's lock; one that a faster instance has put there meanwhile is put back. */
function setAside(path: string, dead: string): void {
  const aside = `${path}.dead.${process.pid}`
  try {
    renameSync(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  if (read(aside) !== dead) linked(aside, path)
  rmSync(aside, { force: true })
}

function release(path: string, mine: string): void {
  if (read(path) === mine) rmSync(path, { force: true })
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function parse(text: string): Holder | undefined {
  try {
    const { pid, startedAt } = JSON.parse(text) as Partial<Holder>
    return typeof pid === 'number' && typeof startedAt === 'string' ? { pid, startedAt } : undefined
  } catch {
    return undefined // cut short by a crash: nobody who lives has it
  }
}

/** When a process started, in a form that only serves comparison; undefined if there is no such process. */
function startOf(pid: number): string | undefined {
  if (process.platform !== 'linux') {
    return spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim() || undefined
  }
  try {
    // The name in brackets may hold anything; after it, the state is field 3 and the start time, in ticks since boot, field 22.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    if (fields[0] === 'Z') return undefined
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${fields[19] ?? ''}`
  } catch {
    return undefined
  }
}

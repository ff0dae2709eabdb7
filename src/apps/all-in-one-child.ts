import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, copyFileSync, existsSync, ftruncateSync, openSync, readFileSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { StartError } from './all-in-one-start-error.ts'

export interface ChildSpec {
  readonly name: string
  readonly file: string
  readonly env: NodeJS.ProcessEnv
  /** Where its output goes; undefined lets it share our streams. */
  readonly logFile?: string
  readonly readyTimeoutMs: number
  /** One line for the person at the terminal. */
  readonly say: (line: string) => void
}

export interface Child {
  readonly name: string
  /** Resolves when it says so for the first time; rejects, with the end of what it said, if that start fails. */
  readonly ready: Promise<void>
  readonly pid: number | undefined
  /** SIGTERM, then SIGKILL after `graceMs`. Resolves when it is gone; it is not restarted. */
  stop(graceMs: number): Promise<void>
  /** SIGKILL now. */
  kill(): void
}

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 15_000
/** A child that ran this long was healthy: its next failure starts the pauses from the beginning. */
const HEALTHY_AFTER_MS = 60_000
/** How long a child may go on after it closed its channel to us by itself. */
const HANG_UP_MS = 3_000
/** A log that reaches this is copied to `….1` and emptied. */
const MAX_LOG_BYTES = 64 * 1024 * 1024
const LOG_CHECK_MS = 10_000

/** Starts a program of ours. Once it was ready it is restarted whenever it dies; a first start that fails is not repeated. */
export function startChild(spec: ChildSpec): Child {
  let stopping = false
  let pauseMs = FIRST_PAUSE_MS
  let current = launch(spec)

  const watch = (process: ChildProcess, since: number): void => {
    void exited(process).then(async (how) => {
      if (stopping) return
      if (performance.now() - since > HEALTHY_AFTER_MS) pauseMs = FIRST_PAUSE_MS
      spec.say(`${spec.name} died (${how}) and is restarted in ${pauseMs} ms${lastWords(spec)}`)
      await sleep(pauseMs)
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
      if (stopping) return
      const next = launch(spec)
      current = next
      watch(next.process, performance.now())
      await next.ready.then(
        () => spec.say(`${spec.name} is back`),
        // It died again, which its own watch reports, or it is stuck, and killing it makes that report.
        () => next.process.kill('SIGKILL'),
      )
    })
  }

  const logCheck = setInterval(() => limitLog(spec.logFile), LOG_CHECK_MS).unref()
  const started = performance.now()
  const first = current
  const ready = first.ready.then(
    () => watch(first.process, started),
    (error: unknown) => {
      child.kill()
      throw error
    },
  )
  // Reported by whoever waits for it; one that is stopped while it starts has nobody waiting.
  ready.catch(() => undefined)
  const child: Child = {
    name: spec.name,
    ready,
    get pid() {
      return current.process.pid
    },
    async stop(graceMs) {
      stopping = true
      clearInterval(logCheck)
      if (hasExited(current.process)) return
      const gone = exited(current.process)
      current.process.kill('SIGTERM')
      const late = setTimeout(() => {
        spec.say(`${spec.name} did not stop within ${graceMs / 1000} s and is killed`)
        current.process.kill('SIGKILL')
      }, graceMs)
      await gone
      clearTimeout(late)
    },
    kill() {
      stopping = true
      clearInterval(logCheck)
      current.process.kill('SIGKILL')
    },
  }
  return child
}

function launch(spec: ChildSpec): { readonly process: ChildProcess; readonly ready: Promise<void> } {
  const log = spec.logFile === undefined ? 'inherit' : openSync(spec.logFile, 'a', 0o600)
  // No group of its own: whoever kills our group kills all of us. On Ctrl-C the children wait for our word.
  const child = spawn(process.execPath, [spec.file], { env: spec.env, stdio: ['ignore', log, log, 'ipc'] })
  if (typeof log === 'number') closeSync(log)
  const ready = new Promise<void>((done, fail) => {
    const late = setTimeout(
      () => fail(new StartError(`${spec.name} was not ready within ${spec.readyTimeoutMs / 1000} s${lastWords(spec)}`)),
      spec.readyTimeoutMs,
    )
    child.on('message', (message) => {
      if (typeof message === 'object' && message !== null && 'ready' in message) {
        clearTimeout(late)
        done()
      }
    })
    // A child that hangs up is ending or confused; in neither case is it of use.
    child.once('disconnect', () => {
      const end = setTimeout(() => child.kill('SIGKILL'), HANG_UP_MS)
      void exited(child).then(() => clearTimeout(end))
    })
    void exited(child).then((how) => {
      clearTimeout(late)
      fail(new StartError(`${spec.name} did not start (${how})${lastWords(spec)}`))
    })
  })
  return { process: child, ready }
}

const hasExited = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

function exited(child: ChildProcess): Promise<string> {
  if (hasExited(child)) return Promise.resolve(describe(child.exitCode, child.signalCode))
  return new Promise((done) => {
    child.once('exit', (code, signal) => done(describe(code, signal)))
    child.once('error', (error) => done(error.message))
  })
}

function describe(code: number | null, signal: NodeJS.Signals | null): string {
  return signal ?? `exit code ${code ?? 'unknown'}`
}

/** The end of a log, so that nobody has to look for the reason first. */
function lastWords({ logFile }: ChildSpec): string {
  if (logFile === undefined || !existsSync(logFile)) return ''
  const lines = readFileSync(logFile, 'utf8').slice(-4_000).trimEnd().split('\n').slice(-12)
  return `; its log ${logFile} ends:\n    ${lines.join('\n    ')}`
}

/** The children append, so emptying the file under them loses a line at most. */
function limitLog(path: string | undefined): void {
  if (path === undefined || !existsSync(path) || statSync(path).size < MAX_LOG_BYTES) return
  copyFileSync(path, `${path}.1`)
  const log = openSync(path, 'r+')
  ftruncateSync(log)
  closeSync(log)
}

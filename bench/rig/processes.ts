import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Job, Report } from './jobs.ts'

const CAN_PIN = availableParallelism() > 1 && process.platform === 'linux'

/** Which core the measured gateway has for itself, and which the load, the mock supplier and everything else share. */
export const GATEWAY_CORES = '0'
export const LOAD_CORES = availableParallelism() >= 4 ? `2-${availableParallelism() - 1}` : '1'

/** Puts a command on some cores, where the system can. */
export function pinned(cores: string, command: readonly string[]): readonly [string, readonly string[]] {
  const [program = '', ...rest] = command
  return CAN_PIN ? ['taskset', ['-c', cores, program, ...rest]] : [program, rest]
}

/** Moves running processes, with all their threads, to some cores. */
export function pin(cores: string, pids: readonly number[]): void {
  if (!CAN_PIN) return
  for (const pid of pids) execFileSync('taskset', ['-a', '-c', '-p', cores, String(pid)], { stdio: 'ignore' })
}

const children = new Set<ChildProcess>()

/** Starts a process that `stopAll` ends; its standard output is dropped unless `pipe` says otherwise. */
export function launch(
  command: readonly [string, readonly string[]],
  options: {
    readonly env?: NodeJS.ProcessEnv
    readonly cwd?: string
    readonly ipc?: boolean
    readonly quiet?: boolean
  } = {},
): ChildProcess {
  const child = spawn(command[0], [...command[1]], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: options.env ?? process.env,
    stdio: [
      'ignore',
      'ignore',
      options.quiet === true ? 'ignore' : 'inherit',
      ...(options.ipc === true ? (['ipc'] as const) : []),
    ],
  })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

/** Ends a process politely, then not. */
export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000)
  await gone
  clearTimeout(timer)
}

export async function stopAll(): Promise<void> {
  await Promise.all([...children].map(stop))
}

/** Waits until something listens on a loopback port. */
export async function listening(port: number, what: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (open) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`${what} does not listen on port ${port}`)
}

function script(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url))
}

/** Starts the mock supplier and returns its port. */
export async function startMock(): Promise<number> {
  const child = launch(pinned(LOAD_CORES, [process.execPath, script('upstream.ts')]), { ipc: true })
  const [message]: unknown[] = await once(child, 'message')
  if (typeof message === 'object' && message !== null && 'port' in message) return Number(message.port)
  throw new Error('the mock supplier did not start')
}

/** Runs jobs in a load generator process of their own. */
export interface Load {
  run(job: Job): Promise<Report>
}

export function startLoad(): Load {
  const child = launch(pinned(LOAD_CORES, [process.execPath, script('load.ts')]), { ipc: true })
  return {
    run(job) {
      return new Promise<Report>((resolve, reject) => {
        child.once('message', (report: Report) => {
          child.off('exit', died)
          resolve(report)
        })
        const died = (): void => reject(new Error('the load generator died'))
        child.once('exit', died)
        child.send(job)
      })
    },
  }
}

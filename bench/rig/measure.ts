import { readdirSync, readFileSync } from 'node:fs'

/** All descendants of a process, itself first. Processes that vanish meanwhile are left out. */
export function processTree(root: number): readonly number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const parent = parentOf(Number(name))
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const tree = [root]
  for (let i = 0; i < tree.length; i++) tree.push(...(children.get(tree[i] ?? 0) ?? []))
  return tree
}

function parentOf(pid: number): number | undefined {
  const fields = read(`/proc/${pid}/stat`)
    ?.replace(/^.*\) /s, '')
    .split(' ')
  return fields === undefined ? undefined : Number(fields[1])
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}

/** The command line of a process, its parts joined by spaces; empty when it is gone. */
export function commandLine(pid: number): string {
  return (read(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ').trim()
}

/** CPU time in microseconds that these processes have used, all threads, user and system, as the scheduler counted it. */
export function cpuMicroseconds(pids: readonly number[]): number {
  let total = 0
  for (const pid of pids) {
    let tasks: readonly string[] = []
    try {
      tasks = readdirSync(`/proc/${pid}/task`)
    } catch {
      continue
    }
    for (const task of tasks) total += Number((read(`/proc/${pid}/task/${task}/schedstat`) ?? '0').split(' ')[0]) / 1000
  }
  return total
}

/** CPU time in microseconds of the children that a process has outlived, to the hundredth of a second. */
export function endedCpuMicroseconds(pid: number): number {
  const fields = read(`/proc/${pid}/stat`)
    ?.replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields?.[13] ?? 0) + Number(fields?.[14] ?? 0)) * 10_000
}

/** Proportional set size in KiB: memory of these processes, shared pages divided among their users. */
export function pssKib(pids: readonly number[]): number {
  let total = 0
  for (const pid of pids) total += Number(/^Pss: +(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? '')?.[1] ?? 0)
  return total
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const high = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? Number.NaN) + high) / 2
}

/** The value below which `share` of the sorted values lie. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { requestBody } from './answers.ts'
import type { Contestant } from './contestant.ts'
import { LOAD_CORES, pinned, type Load } from './processes.ts'
import { wholeAnswers } from './sections.ts'

/** Requests per second of one contestant, by our load generator and by wrk with as many connections; undefined without wrk. */
export async function crossCheck(
  contestant: Contestant,
  load: Load,
  scratch: string,
): Promise<{ readonly ours: number; readonly wrk: number } | undefined> {
  const script = join(scratch, 'wrk.lua')
  const headers = Object.entries(contestant.target.headers).map(
    ([name, value]) => `wrk.headers["${name}"] = "${value}"`,
  )
  const body = requestBody({ stream: false, paceMs: 0 })
  writeFileSync(
    script,
    `wrk.method = "POST"\nwrk.body = [==[${body}]==]\nwrk.headers["Content-Type"] = "application/json"\n${headers.join('\n')}\n`,
  )
  const url = `http://127.0.0.1:${contestant.target.port}${contestant.target.path}`
  const ours: number[] = []
  const theirs: number[] = []
  for (let turn = 0; turn < 3; turn++) {
    ours.push((await wholeAnswers(contestant, load, 3000)).requestsPerSecond ?? Number.NaN)
    const rate = await runWrk(pinned(LOAD_CORES, ['wrk', '-t1', '-c64', '-d3s', '-s', script, url]))
    if (rate === undefined) return undefined
    theirs.push(rate)
  }
  const middle = (values: number[]): number => values.toSorted((a, b) => a - b)[1] ?? Number.NaN
  return { ours: middle(ours), wrk: middle(theirs) }
}

async function runWrk([program, args]: readonly [string, readonly string[]]): Promise<number | undefined> {
  try {
    const { stdout } = await promisify(execFile)(program, [...args])
    if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk saw errors:\n${stdout}`)
    return Number(/Requests\/sec: +([\d.]+)/.exec(stdout)?.[1])
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('wrk saw')) throw error
    return undefined
  }
}

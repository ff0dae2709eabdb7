import { requestBody } from './answers.ts'
import { openConnection, type Connection, type Outcome } from './connection.ts'
import type { Job, Report, Target } from './jobs.ts'

/** The load generator, as its own process: takes jobs over the IPC channel one at a time and reports each. */
interface Tally {
  requests: number
  events: number
  failures: number
  lateMs: number
  readonly reasons: string[]
  readonly latenciesMs: number[]
}

const pools = new Map<number, Connection[]>()
let held: Connection[] = []

function prepared(target: Target, stream: boolean, paceMs: number): Buffer {
  const body = requestBody({ stream, paceMs })
  const headers = Object.entries(target.headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(
    `POST ${target.path} HTTP/1.1\r\nHost: 127.0.0.1:${target.port}\r\nContent-Type: application/json\r\n${headers.join('')}` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}

/** Connections are kept between jobs, so that every round finds them warm. */
function pool(port: number, size: number): Connection[] {
  const have = pools.get(port) ?? []
  while (have.length < size) have.push(openConnection(port))
  pools.set(port, have)
  return have.slice(0, size)
}

function tally(): Tally {
  return { requests: 0, events: 0, failures: 0, lateMs: 0, reasons: [], latenciesMs: [] }
}

function count(sums: Tally, outcome: Outcome): void {
  sums.requests++
  sums.events += outcome.events
  if (outcome.ok) return
  sums.failures++
  if (sums.reasons.length < 3) sums.reasons.push(outcome.reason)
}

async function closedLoop(job: Extract<Job, { kind: 'closed' }>): Promise<Tally> {
  const sums = tally()
  const request = prepared(job.target, job.stream, job.paceMs)
  const deadline = performance.now() + job.durationMs
  let started = 0
  const limit = job.requests ?? Number.POSITIVE_INFINITY
  await Promise.all(
    pool(job.target.port, job.connections).map(
      (connection) =>
        new Promise<void>((resolve) => {
          const next = (): void => {
            if (started >= limit || sums.failures > 100 || performance.now() >= deadline) return resolve()
            started++
            connection.ask(request, job.stream, ended)
          }
          const ended = (outcome: Outcome): void => {
            count(sums, outcome)
            if (outcome.ok) next()
            else setTimeout(next, 1)
          }
          next()
        }),
    ),
  )
  return sums
}

/** A tick of our own timer that comes this late is our coarse clock, not the contestant; beyond it the lateness is charged. */
const TIMER_GRAIN_MS = 2

/**
 * Requests leave when they are due, never when an answer came back, so a slow contestant cannot slow its own measurement.
 * Latency counts from the due time where the generator was late by more than its timer's grain, else from the tick.
 */
async function openLoop(job: Extract<Job, { kind: 'open' }>): Promise<Tally> {
  const sums = tally()
  const request = prepared(job.target, false, 0)
  const idle = [...pool(job.target.port, job.connections)]
  const total = Math.floor((job.ratePerSecond * job.durationMs) / 1000)
  const everyMs = 1000 / job.ratePerSecond
  const beganAt = performance.now()
  let sent = 0
  const waiting: number[] = []
  await new Promise<void>((resolve) => {
    const send = (connection: Connection, countFrom: number): void =>
      connection.ask(request, false, (outcome) => {
        sums.latenciesMs.push(performance.now() - countFrom)
        count(sums, outcome)
        const overdue = waiting.shift()
        if (overdue === undefined) idle.push(connection)
        else send(connection, overdue)
        if (sums.requests === total) resolve()
      })
    const timer = setInterval(() => {
      const now = performance.now()
      for (; sent < total; sent++) {
        const due = beganAt + sent * everyMs
        if (due > now) break
        const late = now - due
        if (late > sums.lateMs) sums.lateMs = late
        const countFrom = late > TIMER_GRAIN_MS ? due : now
        const connection = idle.pop()
        if (connection === undefined) waiting.push(countFrom)
        else send(connection, countFrom)
      }
      if (sent === total) clearInterval(timer)
    }, 1)
  })
  return sums
}

/** Opens streams in small groups, and resolves when each has begun or failed: they stay open until `release`. */
async function hold(job: Extract<Job, { kind: 'hold' }>): Promise<Tally> {
  const sums = tally()
  const request = prepared(job.target, true, job.paceMs)
  for (let opened = 0; opened < job.streams; opened += 50) {
    for (let i = 0; i < 50 && held.length < job.streams; i++) {
      const connection = openConnection(job.target.port)
      held.push(connection)
      connection.ask(request, true, (outcome) => count(sums, outcome))
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  for (let tries = 0; tries < 300 && held.some((connection) => !connection.begun()); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const silent = held.filter((connection) => !connection.begun()).length
  if (silent > 0) sums.reasons.push(`${silent} of ${held.length} streams never began`)
  sums.failures += silent
  sums.requests = held.length
  return sums
}

async function work(job: Job): Promise<Tally> {
  switch (job.kind) {
    case 'closed':
      return closedLoop(job)
    case 'open':
      return openLoop(job)
    case 'hold':
      return hold(job)
    case 'release':
      for (const connection of held) connection.close()
      held = []
      for (const connections of pools.values()) for (const connection of connections) connection.close()
      pools.clear()
      return tally()
  }
}

process.on('message', (job: Job) => {
  const beganAt = performance.now()
  void work(job).then((sums) => {
    const report: Report = {
      ...sums,
      elapsedMs: performance.now() - beganAt,
      latenciesMs: sums.latenciesMs.toSorted((a, b) => a - b),
    }
    process.send?.(report)
  })
})
process.on('disconnect', () => process.exit(0))

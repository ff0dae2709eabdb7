import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startChild } from './all-in-one-child.ts'

/** A program in a folder of its own, with everything that the supervisor said about it. */
function program(text: string) {
  const folder = mkdtempSync(join(tmpdir(), 'tokenfactory-child-'))
  const file = join(folder, 'child.mjs')
  writeFileSync(file, text)
  const said: string[] = []
  const waiting: { pattern: RegExp; done: () => void }[] = []
  return {
    folder,
    said,
    /** Resolves once a line like this was said. */
    untilSaid: (pattern: RegExp) =>
      new Promise<void>((done) => {
        if (said.some((line) => pattern.test(line))) done()
        else waiting.push({ pattern, done })
      }),
    spec: {
      name: 'child',
      file,
      env: { ...process.env, FOLDER: folder },
      logFile: join(folder, 'child.log'),
      readyTimeoutMs: 20_000,
      say: (line: string) => {
        said.push(line)
        for (const { pattern, done } of waiting) if (pattern.test(line)) done()
      },
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

const STAYS = `
  import { appendFileSync } from 'node:fs'
  process.on('SIGTERM', () => { appendFileSync(process.env.FOLDER + '/stopped', 'x'); process.exit(0) })
  process.on('disconnect', () => process.exit(0))
  console.log('a line of its own')
  process.send({ ready: true })
`

test('a child is ready when it says so, and stops when it is told to', async () => {
  using it = program(STAYS)
  const child = startChild(it.spec)
  await child.ready
  expect(child.pid).toBeGreaterThan(0)
  await child.stop(20_000)
  expect(existsSync(join(it.folder, 'stopped'))).toBe(true)
  expect(readFileSync(it.spec.logFile, 'utf8')).toBe('a line of its own\n')
  expect(it.said).toEqual([])
})

test('a child that dies is restarted, and both are said', async () => {
  using it = program(STAYS)
  const child = startChild(it.spec)
  await child.ready
  const first = child.pid ?? 0
  process.kill(first, 'SIGKILL')
  await it.untilSaid(/is back/)
  expect(it.said[0]).toContain('child died (SIGKILL) and is restarted in 250 ms')
  expect(it.said[0]).toContain('a line of its own')
  expect(child.pid).not.toBe(first)
  await child.stop(20_000)
})

test('a first start that fails is told with the last words of the child', async () => {
  using it = program(`console.error('the reason'); process.exit(3)`)
  await expect(startChild(it.spec).ready).rejects.toThrow(/child did not start \(exit code 3\).*\n {4}the reason$/s)
})

test('a child that never becomes ready is given up and killed', async () => {
  using it = program(`process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)`)
  await expect(startChild({ ...it.spec, readyTimeoutMs: 300 }).ready).rejects.toThrow(
    'child was not ready within 0.3 s',
  )
})

test('a child that hangs up without ending is killed', async () => {
  using it = program(`process.disconnect(); setInterval(() => {}, 1000)`)
  await expect(startChild(it.spec).ready).rejects.toThrow('child did not start (SIGKILL)')
})

test('a child that is stopped while it starts is gone, and not started again', async () => {
  using it = program(`setInterval(() => {}, 1000)`)
  const child = startChild(it.spec)
  const { pid } = child
  await child.stop(20_000)
  await expect(child.ready).rejects.toThrow('did not start (SIGTERM)')
  expect(child.pid).toBe(pid)
})

test('a child that does not stop is killed after its grace', async () => {
  using it = program(`process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); process.send({ ready: true })`)
  const child = startChild(it.spec)
  await child.ready
  await child.stop(200)
  expect(it.said).toEqual(['child did not stop within 0.2 s and is killed'])
})

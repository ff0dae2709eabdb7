import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { lockDataDir } from './all-in-one-lock.ts'

function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), 'tokenfactory-lock-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** Another process that takes the lock, says how it went, and stays. */
async function otherInstance(folder: string) {
  const program = `
    import { lockDataDir } from ${JSON.stringify(new URL('./all-in-one-lock.ts', import.meta.url).href)}
    try { console.log(JSON.stringify({ afterCrash: lockDataDir(process.argv[1]).afterCrash })) }
    catch (error) { console.log(JSON.stringify({ refused: error.message })) }
    setInterval(() => {}, 1000)
  `
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  return {
    pid: child.pid,
    said: JSON.parse(said.toString()) as { afterCrash?: boolean; refused?: string },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

test('a second instance is refused in one line that names the first', async () => {
  using folder = temporaryFolder()
  await using first = await otherInstance(folder.path)
  expect(first.said).toEqual({ afterCrash: false })
  expect(() => lockDataDir(folder.path)).toThrow(
    `${folder.path} is in use by another instance (process ${String(first.pid)}): stop it, or set DATA_DIR`,
  )
})

test('the lock of an instance that was killed with kill -9 is taken over', async () => {
  using folder = temporaryFolder()
  {
    await using _ = await otherInstance(folder.path)
  }
  expect(existsSync(join(folder.path, 'lock'))).toBe(true)
  const lock = lockDataDir(folder.path)
  expect(lock.afterCrash).toBe(true)
  lock.release()
  expect(readdirSync(folder.path)).toEqual([])
})

test('of several that find a dead lock at the same time, one gets it', async () => {
  using folder = temporaryFolder()
  writeFileSync(join(folder.path, 'lock'), JSON.stringify({ pid: 4_000_000, startedAt: 'long ago' }))
  const instances = await Promise.all(Array.from({ length: 4 }, () => otherInstance(folder.path)))
  await using stack = new AsyncDisposableStack()
  for (const instance of instances) stack.use(instance)
  expect(instances.filter(({ said }) => said.refused === undefined)).toHaveLength(1)
})

test('a process number that was given to somebody else does not hold the lock', () => {
  using folder = temporaryFolder()
  writeFileSync(join(folder.path, 'lock'), JSON.stringify({ pid: process.pid, startedAt: 'another boot' }))
  expect(lockDataDir(folder.path).afterCrash).toBe(true)
})

test('a lock that was cut short by a power loss is taken over', () => {
  using folder = temporaryFolder()
  writeFileSync(join(folder.path, 'lock'), '{"pid": 12')
  expect(lockDataDir(folder.path).afterCrash).toBe(true)
})

test('a released lock is free, and releasing twice takes nobody else’s', () => {
  using folder = temporaryFolder()
  const first = lockDataDir(folder.path)
  first.release()
  writeFileSync(join(folder.path, 'lock'), 'of somebody else')
  first.release()
  expect(existsSync(join(folder.path, 'lock'))).toBe(true)
})

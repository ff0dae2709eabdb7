import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomHex, randomToken } from '#platform/crypto'
import { StartError } from './all-in-one-start-error.ts'

/** Makes the data directory and proves that it can be written, or throws one line. */
export function prepareDataDir(dataDir: string): void {
  const probe = join(dataDir, `.write-test-${process.pid}`)
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    writeFileSync(probe, 'x', { flush: true })
    rmSync(probe)
  } catch (error) {
    throw new StartError(`DATA_DIR=${dataDir} cannot be written: ${reason(error)}`)
  }
}

/**
 * Throws one line if a port cannot be had. `patienceMs` bridges the moment in which the processes of a killed instance go away.
 */
export async function checkPort(variable: string, port: number, host: string, patienceMs: number): Promise<void> {
  const until = performance.now() + patienceMs
  for (;;) {
    const error = await tryPort(port, host)
    if (!error) return
    if (error.code === 'EADDRINUSE' && performance.now() < until) {
      await sleep(100)
      continue
    }
    const why = error.code === 'EADDRINUSE' ? 'is in use by another program' : `cannot be opened (${reason(error)})`
    throw new StartError(`port ${port} on ${host} ${why}: free it, or set ${variable} to another port`)
  }
}

/** The declaration that an empty installation begins with, or one line that says why it cannot be had. */
export function readFactoryFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new StartError(`FACTORY_FILE=${path} cannot be read: ${reason(error)}`)
  }
}

/** A free loopback port. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done, fail) => server.once('error', fail).listen(0, '127.0.0.1', done))
  const address = server.address()
  await new Promise((done) => server.close(done))
  if (typeof address !== 'object' || !address) throw new Error('no free port')
  return address.port
}

/** Reads a secret that this installation made earlier, or makes one. Only the owner may read the file. */
export function ensureSecret(path: string, kind: 'hex' | 'readable'): string {
  try {
    const text = readFileSync(path, 'utf8').trim()
    if (text) return text
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw new StartError(`${path} cannot be read: ${reason(error)}`)
  }
  const secret = kind === 'hex' ? randomHex(32) : randomToken(15)
  writeSecret(path, secret)
  return secret
}

export function writeSecret(path: string, secret: string): void {
  writeFileSync(path, `${secret}\n`, { mode: 0o600, flush: true })
}

function tryPort(port: number, host: string): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((done) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => done(error))
    server.listen({ port, host, exclusive: true }, () => server.close(() => done(undefined)))
  })
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  const known: Readonly<Record<string, string>> = {
    EACCES: 'permission denied',
    EADDRNOTAVAIL: 'this machine has no such address',
    EEXIST: 'it is not a directory',
    EISDIR: 'it is a directory',
    ENOENT: 'there is no such file',
    ENOSPC: 'no space left',
    ENOTDIR: 'a part of the path is not a directory',
    EPERM: 'not permitted',
    EROFS: 'the file system is read-only',
  }
  return (code && known[code]) ?? message
}

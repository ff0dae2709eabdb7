import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkPort, ensureSecret, freePort, prepareDataDir } from './all-in-one-preflight.ts'

function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), 'tokenfactory-preflight-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

async function occupied(port: number) {
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(server, { [Symbol.dispose]: () => void server.close() })
}

test('a port in use is one line with the port and the variable', async () => {
  const port = await freePort()
  using _ = await occupied(port)
  await expect(checkPort('GATEWAY_PORT', port, '127.0.0.1', 0)).rejects.toThrow(
    new RegExp(
      `^port ${port} on 127.0.0.1 is in use by another program: free it, or set GATEWAY_PORT to another port$`,
    ),
  )
})

test('a free port passes and stays free', async () => {
  const port = await freePort()
  await checkPort('GATEWAY_PORT', port, '127.0.0.1', 0)
  using _ = await occupied(port)
})

test('after a crash the port may still be taken for a moment', async () => {
  const port = await freePort()
  const server = await occupied(port)
  const checked = checkPort('GATEWAY_PORT', port, '127.0.0.1', 20_000)
  server.close()
  await checked
})

test('an address that the machine does not have is one line', async () => {
  await expect(checkPort('CONTROL_PORT', 8081, '192.0.2.1', 0)).rejects.toThrow('this machine has no such address')
})

test('a data directory that is a file, or below one, is one line', () => {
  using folder = temporaryFolder()
  const file = join(folder.path, 'file')
  writeFileSync(file, '')
  expect(() => prepareDataDir(file)).toThrow(`DATA_DIR=${file} cannot be written: it is not a directory`)
  expect(() => prepareDataDir(join(file, 'data'))).toThrow('a part of the path is not a directory')
})

test('a secret is made once and only its owner may read it', () => {
  using folder = temporaryFolder()
  const path = join(folder.path, 'admin-token')
  const secret = ensureSecret(path, 'hex')
  expect(secret).toMatch(/^[0-9a-f]{64}$/)
  expect(ensureSecret(path, 'hex')).toBe(secret)
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

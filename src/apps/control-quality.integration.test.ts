import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAdaptorServer } from '@hono/node-server'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ADMIN_TOKEN, controlFixture, recordOf } from '../../test/control.ts'
import type { ControlFixture } from '../../test/control.ts'
import { runCli } from './cli/run.ts'

let it: ControlFixture
let server: Server
let folder: string
beforeAll(async () => {
  it = await controlFixture()
  server = createAdaptorServer({ fetch: it.app.fetch }) as Server
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  folder = await mkdtemp(join(tmpdir(), 'tokenfactory-quality-'))
})
afterAll(async () => {
  server.close()
  server.closeAllConnections()
  await rm(folder, { recursive: true, force: true })
  await it[Symbol.asyncDispose]()
})

async function cli(...args: string[]) {
  let [out, err] = ['', '']
  const code = await runCli(args, {
    env: {
      TOKENFACTORY_TOKEN: ADMIN_TOKEN,
      TOKENFACTORY_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    },
    write: (text) => (out += text),
    writeError: (text) => (err += text),
    readStandardInput: async () => '',
    nowMs: it.clock.nowMs,
  })
  return { code, out, err }
}

/** A supplier that claims a fifth more output than there is. */
function inflated(n: number) {
  const record = recordOf(`req_${`${n}`.padStart(26, '0')}`, 'acme', it.acmeSlice)
  return { ...record, counted: { input: 100, output: 41, method: 'tiktoken:o200k_base' } }
}

test('on the command line: what was flagged, its evidence, its dispute and its end', async () => {
  await it.charging.ingest({ gateway: 'gw-0', records: Array.from({ length: 120 }, (_, n) => inflated(n + 100)) })
  expect((await cli('quality', 'cases')).out).toBe('nothing was flagged\n')
  await it.quality.digest()
  expect((await cli('quality', 'audits')).out).toMatch(/secret-supplier +secret-model +output +120/)
  const cases = JSON.parse((await cli('quality', 'cases', '-o', 'json')).out) as { id: string; number: number }[]
  expect(cases).toMatchObject([{ number: 100, side: 'output', state: 'flagged' }])
  const id = cases[0]?.id ?? ''
  const file = join(folder, 'case.csv')
  expect((await cli('quality', 'evidence', id, '--file', file)).code).toBe(0)
  expect((await readFile(file, 'utf8')).trim().split('\n')).toHaveLength(121)
  expect((await cli('quality', 'dispute', id)).code).toBe(2)
  expect((await cli('quality', 'dispute', id, '--reason', 'a fifth too much')).out).toContain('is disputed')
  // The admin token is one person.
  expect((await cli('quality', 'uphold', id, '--reason', 'so it is')).code).toBe(1)
  expect((await cli('quality', 'dismiss', id, '--reason', 'our tokenizer was wrong')).out).toContain('is dismissed')
  expect((await cli('quality', 'case', id)).out).toContain('dismissed by admin token: our tokenizer was wrong')
  expect((await cli('quality', 'case', 'case_none')).code).toBe(4)
  const settings = ['--supplier', 'secret-supplier', '--model', 'secret-model', '--fixed', '9', '--reason', 'markers']
  expect((await cli('quality', 'audit-settings', ...settings, '-o', 'json')).out).toContain('"fixedTokens": 9')
})

test("a supplier's counts are an operator's business, and nobody else's", async () => {
  const user = { email: 'user@acme.example', role: 'tenant', tenant: 'acme' } as const
  const { email, password } = await it.identity.createAccount(user)
  const { token } = await it.identity.signIn({ email, password, caller: 'test' })
  const headers = { host: 'console.example', cookie: `tokenfactory_session=${token}` }
  for (const path of ['audits', 'cases', 'cases/x', 'cases/x/evidence']) {
    const reply = await it.app.request(`http://console.example/api/v1/quality/${path}`, { headers })
    expect(reply.status, path).toBe(403)
  }
  const nobody = await it.app.request('http://console.example/api/v1/quality/audits', {
    headers: { host: 'console.example' },
  })
  expect(nobody.status).toBe(401)
})

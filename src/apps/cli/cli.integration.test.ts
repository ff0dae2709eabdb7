import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ACME_REQUEST, ADMIN_TOKEN, FILE, controlFixture, recordOf } from '../../../test/control.ts'
import type { ControlFixture } from '../../../test/control.ts'
import { openCommandLine } from '../../../test/command-line.ts'
import type { CommandLine } from '../../../test/command-line.ts'

let it: ControlFixture
let line: CommandLine
let folder: string
let env: NodeJS.ProcessEnv

beforeAll(async () => {
  it = await controlFixture()
  line = await openCommandLine(it)
  folder = await mkdtemp(join(tmpdir(), 'tokenfactory-cli-'))
  await writeFile(join(folder, 'admin-token'), `${ADMIN_TOKEN}\n`)
  env = { DATA_DIR: folder, TOKENFACTORY_URL: line.url }
})
afterAll(async () => {
  await line[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
  await it[Symbol.asyncDispose]()
})

const cli = (
  args: readonly string[],
  { input = '', changed = {} }: { input?: string; changed?: NodeJS.ProcessEnv } = {},
) => line.run(args, { input, env: { ...env, ...changed } })

test('applying a file tells what changed and shows new keys once; applying it again changes nothing', async () => {
  const input = `${FILE}`.replace('keys:\n', 'keys:\n  - { id: extra, tenant: acme }\n')
  const first = await cli(['apply', '-f', '-'], { input })
  expect(first).toMatchObject({ code: 0, err: '' })
  expect(first.out).toMatch(/created +key +extra/)
  expect(first.out).toMatch(/extra +acme +sk-tf-\w{39}/)
  const second = await cli(['apply', '-f', '-'], { input })
  expect(second.out).toBe('nothing to change\n')
})

test('a file with mistakes ends with 3 and names file, line, column and path of each', async () => {
  const path = join(folder, 'broken.yaml')
  await writeFile(path, 'tenants:\n  - id: BAD\nkeys:\n  - { id: k, tenant: ghost }\n')
  const { code, out } = await cli(['apply', '-f', path])
  expect(code).toBe(3)
  expect(out).toContain(`${path}:2:9: tenants[0].id: use lower-case letters`)
  expect(out).toContain(`${path}:4:22: keys[0].tenant: there is no tenant ghost`)
  expect(out).toContain('2 mistakes; nothing was applied')
  const json = await cli(['apply', '-f', path, '-o', 'json'])
  expect(json.code).toBe(3)
  expect((JSON.parse(json.out) as { mistakes: { line: number }[] }).mistakes.map(({ line }) => line)).toEqual([2, 4])
})

test.each(['suppliers', 'services', 'tenants', 'keys', 'usage', 'balance', 'ledger', 'requests'])(
  'get %s prints a table and the same as JSON',
  async (thing) => {
    const table = await cli(['get', thing])
    expect(table).toMatchObject({ code: 0, err: '' })
    expect(table.out.trim().split('\n').length).toBeGreaterThan(1)
    const json = await cli(['get', thing, '-o', 'json'])
    expect(json.code).toBe(0)
    expect((JSON.parse(json.out) as unknown[]).length).toBeGreaterThan(0)
  },
)

test('usage by model, tenant, supplier and hour adds up to the same', async () => {
  for (const by of ['model', 'tenant', 'supplier', 'hour']) {
    const { code, out } = await cli(['usage', '--by', by, '-o', 'json'])
    expect(code).toBe(0)
    expect((JSON.parse(out) as { requests: number }[]).reduce((sum, { requests }) => sum + requests, 0)).toBe(2)
  }
})

test('explain tells who was considered, who served, what was counted and what it cost', async () => {
  const { code, out } = await cli(['explain', ACME_REQUEST])
  expect(code).toBe(0)
  for (const part of [
    'secret-supplier',
    'eligible',
    'served',
    'uncachedInput',
    'sold ¥0.0006 ',
    'sell-1',
    'Posting pst_',
    '2000:acme',
  ])
    expect(out).toContain(part)
})

test('a key is made, shown once and revoked for ever', async () => {
  const made = await cli(['key', 'create', '--tenant', 'acme', '--name', '测试', '--rpm', '5', '-o', 'json'])
  const { id, secret } = JSON.parse(made.out) as { id: string; secret: string }
  expect((await cli(['get', 'keys'])).out).not.toContain(secret)
  expect((await cli(['key', 'revoke', id])).out).toContain('is revoked')
  const keys = JSON.parse((await cli(['get', 'keys', '-o', 'json'])).out) as {
    id: string
    status: string
    limits: object
  }[]
  expect(keys.find((key) => key.id === id)).toMatchObject({ status: 'revoked', limits: { requestsPerMinute: 5 } })
})

test('a top-up is booked once, and another amount under its reference is refused with 1', async () => {
  const topup = (amount: string) => cli(['topup', '--tenant', 'globex', '--amount', amount, '--reference', 'bank-7'])
  expect(await topup('1.25')).toMatchObject({ code: 0 })
  const again = await topup('1.25')
  expect(again.out).toContain('¥21.2494')
  expect((await topup('2')).code).toBe(1)
})

const FAILURES: readonly (readonly [number, readonly string[], NodeJS.ProcessEnv])[] = [
  [2, [], {}],
  [2, ['dance'], {}],
  [2, ['get'], {}],
  [2, ['get', 'nonsense'], {}],
  [2, ['get', 'toString'], {}],
  [2, ['get', 'keys', '--nonsense'], {}],
  [2, ['get', 'keys', '-o', 'xml'], {}],
  [2, ['usage', '--by', 'moon'], {}],
  [2, ['usage', '--since', 'yesterday'], {}],
  [2, ['apply'], {}],
  [2, ['key', 'create'], {}],
  [2, ['key', 'create', '--tenant', 'acme', '--rpm', '0'], {}],
  [2, ['key', 'create', '--tenant', 'acme', '--expires', '2027-01-01'], {}],
  [2, ['topup', '--tenant', 'acme'], {}],
  [2, ['verify', '--url', 'ftp://x'], {}],
  [3, ['topup', '--tenant', 'acme', '--amount', '1e3', '--reference', 'r'], {}],
  [4, ['explain', 'req_00000000000000000000000009'], {}],
  [4, ['key', 'revoke', 'nope'], {}],
  [4, ['get', 'balance', '--tenant', 'nope'], {}],
  [4, ['apply', '-f', '/no/such/file.yaml'], {}],
  [5, ['verify'], { TOKENFACTORY_URL: 'http://127.0.0.1:2' }],
  [1, ['verify'], { TOKENFACTORY_TOKEN: 'wrong' }],
  [1, ['verify'], { DATA_DIR: '/no/such/folder' }],
]

test.each(FAILURES)('ends with %i: tokenfactory %j', async (expected, args, changed) => {
  const { code, out, err } = await cli(args, { changed })
  expect(code).toBe(expected)
  expect(out).toBe('')
  expect(err).toMatch(/^tokenfactory: /)
})

test('a failure with -o json is JSON too', async () => {
  const { code, out, err } = await cli(['explain', 'req_00000000000000000000000009', '-o', 'json'])
  expect([code, err]).toEqual([4, ''])
  expect(JSON.parse(out)).toMatchObject({ error: { code: 'unknown_request' } })
})

test.each(
  [[], ['apply'], ['get'], ['key'], ['topup'], ['usage'], ['explain'], ['verify'], ['user']].map((words) => [words]),
)('%j --help ends with 0 and documents the exit codes', async (words) => {
  const { code, out } = await cli([...words, '--help'])
  expect(code).toBe(0)
  expect(out).toContain('6  the books disagree')
})

test('the program itself ends with the code that the function returns', async () => {
  const program = fileURLToPath(new URL('../cli.ts', import.meta.url))
  const child = spawn(process.execPath, [program, 'get', 'tenants', '-o', 'json'], { env: { ...process.env, ...env } })
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
  expect(code).toBe(0)
  expect((JSON.parse(out) as { id: string }[]).map(({ id }) => id)).toEqual(['acme', 'globex'])
  const failing = spawn(process.execPath, [program, 'explain', 'req_00000000000000000000000009'], {
    env: { ...process.env, ...env },
  })
  expect((await once(failing, 'close'))[0]).toBe(4)
})

test('verify proves the books, and ends with 6 and the rows that disagree when a record was rated by no known sheet', async () => {
  const good = await cli(['verify'])
  expect(good.out).toContain('the books agree')
  expect(good.code).toBe(0)
  const id = ACME_REQUEST.replace(/1$/, '7')
  await it.charging.ingest({
    gateway: 'gw-0',
    records: [{ ...recordOf(id, 'acme', it.acmeSlice), sellSheet: 'no-such-sheet' }],
  })
  const bad = await cli(['verify'])
  expect(bad.code).toBe(6)
  expect(bad.out).toContain(id)
  expect(bad.out).toContain('THE BOOKS DISAGREE')
  expect((await cli(['verify', '-o', 'json'])).code).toBe(6)
})

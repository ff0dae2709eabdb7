import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { controlFixture, recordOf } from '../../test/control.ts'
import type { ControlFixture } from '../../test/control.ts'
import { openCommandLine } from '../../test/command-line.ts'
import type { CommandLine } from '../../test/command-line.ts'

/** Passwords are hashed slowly on purpose, which a busy machine makes slower still. */
const SLOW_MS = 120_000
let it: ControlFixture
let line: CommandLine
let folder: string
beforeAll(async () => {
  it = await controlFixture()
  line = await openCommandLine(it)
  folder = await mkdtemp(join(tmpdir(), 'tokenfactory-quality-'))
})
afterAll(async () => {
  await line[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
  await it[Symbol.asyncDispose]()
})

const cli = (...args: string[]) => line.run(args)

/** A supplier that claims a fifth more output than there is. */
function inflated(n: number) {
  const record = recordOf(`req_${`${n}`.padStart(26, '0')}`, 'acme', it.acmeSlice)
  return { ...record, counted: { input: 100, output: 41, method: 'tiktoken:o200k_base' } }
}

test('on the command line: what was flagged, its evidence, its dispute and its end', { timeout: SLOW_MS }, async () => {
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

test("a supplier's counts are an operator's business, and nobody else's", { timeout: SLOW_MS }, async () => {
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

async function signedIn(user: {
  email: string
  role: 'tenant' | 'supplier'
  tenant: string | null
  supplier: string | null
}) {
  const { email, password } = await it.identity.createAccount(user)
  const { token } = await it.identity.signIn({ email, password, caller: 'test' })
  return { host: 'console.example', cookie: `tokenfactory_session=${token}`, origin: 'http://console.example' }
}

test(
  'a month: promised, seen, reported, contested by whom it is about, approved by a second person and in the wallet',
  { timeout: SLOW_MS },
  async () => {
    const nowMs = it.clock.nowMs()
    const terms = {
      ...{ leg: 'customer', party: null, service: 'babbler', tier: null, requestsPerMinute: null },
      measures: [
        {
          measure: 'availability',
          targetPpm: 990_000,
          limitMs: null,
          steps: [{ belowPpm: 990_000, penaltyPpm: 100_000 }],
        },
      ],
      validFromMs: nowMs + 1,
    }
    const file = join(folder, 'terms.json')
    await writeFile(file, JSON.stringify(terms))
    expect((await cli('quality', 'promise', '--from', file, '--reason', 'as signed')).out).toMatch(
      /availability +- +99\.0000 %/,
    )
    await writeFile(file, JSON.stringify({ ...terms, leg: 'supplier', party: 'secret-supplier' }))
    expect((await cli('quality', 'promise', '--from', file, '--reason', 'as signed')).code).toBe(0)
    const at = { acceptedAtMs: nowMs + 120_000, completedAtMs: nowMs + 121_000 }
    const base = (n: number) => ({ ...recordOf(`req_${`${n}`.padStart(26, '0')}`, 'acme', it.acmeSlice), ...at })
    const lost = (n: number) => ({
      ...base(n),
      ...({ ending: 'failed', sellPico: '0', taxPico: '0', ttftMs: null } as const),
      attempts: [
        {
          supplier: 'secret-supplier',
          model: 'secret-model',
          outcome: 'status_5xx',
          status: 500,
          startMs: 0,
          endMs: 9,
        } as const,
      ],
    })
    await it.charging.ingest({
      gateway: 'gw-0',
      records: [
        ...Array.from({ length: 19 }, (_, n) => base(500 + n)),
        ...Array.from({ length: 5 }, (_, n) => lost(600 + n)),
      ],
    })
    it.clock.advance(20 * 86_400_000)
    expect((await cli('quality', 'report', '--period', '2026-12')).code).toBe(1)
    const month = await cli('quality', 'report', '--period', '2026-11')
    expect(month.out).toMatch(/customer +acme +babbler +standard +availability .* MISSED/)
    const credits = JSON.parse((await cli('quality', 'credits', '-o', 'json')).out) as { id: string; leg: string }[]
    expect(credits.map(({ leg }) => leg)).toEqual(['customer', 'supplier'])
    const [credit = '', penalty = ''] = credits.map(({ id }) => id)
    expect((await cli('quality', 'credit', credit)).out).toContain(`other side: ${penalty}`)
    expect((await cli('quality', 'approve', credit, '--reason', 'fine')).code).toBe(1)

    const acme = await signedIn({ email: 'it@acme.example', role: 'tenant', tenant: 'acme', supplier: null })
    const vendor = await signedIn({
      email: 'ops@vendor.example',
      role: 'supplier',
      tenant: null,
      supplier: 'secret-supplier',
    })
    const ask = (path: string, headers: Record<string, string>, body?: unknown) =>
      it.app.request(`http://console.example/api/v1/quality${path}`, {
        headers: { ...headers, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      })
    expect(await (await ask('/reports?period=2026-11', acme)).json()).toMatchObject([
      { leg: 'customer', party: 'acme' },
    ])
    expect(await (await ask('/credits', vendor)).json()).toMatchObject([{ id: penalty }])
    for (const path of [
      '/credits?party=globex',
      '/reports?period=2026-11&leg=supplier',
      `/credits/${penalty}`,
      '/alerts',
      '/terms',
    ])
      expect((await ask(path, acme)).status, path).toBe(403)
    for (const path of ['/reports?period=2026-11&leg=customer', `/credits/${credit}`, '/cases?supplier=other'])
      expect((await ask(path, vendor)).status, path).toBe(403)
    const csv = await (await ask('/reports/csv?period=2026-11&leg=customer&party=acme', acme)).text()
    expect(csv.trim().split('\n').length).toBeGreaterThan(20)
    expect((await ask(`/credits/${penalty}/decide`, vendor, { to: 'waived', reason: 'please' })).status).toBe(403)
    const contested = await ask(`/credits/${penalty}/decide`, vendor, { to: 'contested', reason: 'your link was down' })
    expect(await contested.json()).toMatchObject({ state: 'contested' })

    const boss = await it.identity.createAccount({
      email: 'boss@factory.example',
      role: 'operator',
      tenant: null,
      supplier: null,
    })
    const { token } = await it.identity.signIn({ ...boss, caller: 'test' })
    const second = { ...acme, cookie: `tokenfactory_session=${token}` }
    const before = BigInt((await it.charging.balance('acme')).postedPico)
    expect((await ask(`/credits/${credit}/decide`, second, { to: 'approved', reason: 'checked' })).status).toBe(200)
    expect(BigInt((await it.charging.balance('acme')).postedPico)).toBeGreaterThan(before)
    expect(await (await ask(`/credits/${credit}`, second)).json()).toMatchObject({ credit: { state: 'applied' } })
  },
)

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ImportReply, RunReply, StatementReply, SupplierPeriodView, VerifyReply } from '#contract'
import { controlFixture } from '../../test/control.ts'
import type { ControlFixture } from '../../test/control.ts'
import { openCommandLine } from '../../test/command-line.ts'
import type { CommandLine } from '../../test/command-line.ts'
import { CSV_HEAD, BY_REQUEST, PAYEE, csvLine, toldOf } from '../../test/settlement.ts'

let it: ControlFixture
let line: CommandLine
let folder: string
const DAY_MS = 86_400_000
const SUPPLIER = 'secret-supplier'

beforeAll(async () => {
  it = await controlFixture()
  folder = await mkdtemp(join(tmpdir(), 'tokenfactory-settlement-'))
  line = await openCommandLine(it)
  it.clock.advance(10 * DAY_MS)
})
afterAll(async () => {
  await line[Symbol.asyncDispose]()
  await it[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

async function signIn(email: string, role: 'operator' | 'tenant' | 'supplier', supplier = SUPPLIER): Promise<string> {
  const tenant = role === 'tenant' ? 'acme' : null
  const own = role === 'supplier' ? supplier : null
  const { password } = await it.identity.createAccount({ email, role, tenant, supplier: own })
  const reply = await fetch(`${line.url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  })
  return reply.headers.get('set-cookie')?.split(';')[0] ?? ''
}

async function asUser(cookie: string, method: string, path: string, body?: unknown): Promise<Response> {
  return fetch(`${line.url}/api/v1${path}`, {
    method,
    headers: { cookie, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}

async function cli(...args: string[]) {
  const said = await line.run([...args, '-o', 'json'])
  return { ...said, json: (): unknown => JSON.parse(said.out) }
}

async function told(): Promise<string> {
  const rows = await it.charging.requests({ limit: 100 })
  const records = await Promise.all(rows.map(async ({ id }) => (await it.charging.explain(id)).record))
  return CSV_HEAD + records.map((record) => csvLine(toldOf(record))).join('')
}

test('a statement goes from a file to a payment over the command line, with a second person for the approval', async () => {
  const file = join(folder, 'november.csv')
  await writeFile(file, await told())
  const mapping = join(folder, 'mapping.json')
  await writeFile(mapping, JSON.stringify(BY_REQUEST))
  const payee = join(folder, 'payee.json')
  const { supplier: _, ...details } = PAYEE
  await writeFile(payee, JSON.stringify(details))

  const early = await cli('statement', 'import', file, '--supplier', SUPPLIER, '--period', '2026-11')
  expect(early.json()).toMatchObject({ error: { code: 'mapping_missing' } })
  expect((await cli('statement', 'mapping', SUPPLIER, '--from', mapping)).code).toBe(0)
  expect((await cli('statement', 'payee', SUPPLIER, '--from', payee)).code).toBe(0)
  const open = await cli('statement', 'import', file, '--supplier', SUPPLIER, '--period', '2026-12')
  expect(open.json()).toMatchObject({ error: { code: 'period_open' } })

  const imported = ImportReply.parse(
    (await cli('statement', 'import', file, '--supplier', SUPPLIER, '--period', '2026-11')).json(),
  )
  expect(imported).toMatchObject({ isNew: true, statement: { state: 'parsed', lines: 2 } })
  const again = ImportReply.parse(
    (await cli('statement', 'import', file, '--supplier', SUPPLIER, '--period', '2026-11')).json(),
  )
  expect(again).toMatchObject({ isNew: false, statement: { id: imported.statement.id } })
  const { id } = imported.statement
  const matched = StatementReply.parse((await cli('statement', 'match', id)).json())
  expect(matched).toMatchObject({ state: 'matched', ours: { requests: 2 }, discrepancies: [] })
  expect((await cli('statement', 'agree', id)).code).toBe(0)
  const run = RunReply.parse((await cli('settlement', 'plan', id)).json())
  expect((await cli('settlement', 'review', run.id)).json()).toMatchObject({ error: { code: 'same_person' } })

  const chief = await signIn('chief@factory.example', 'operator')
  expect((await asUser(chief, 'POST', `/settlement/runs/${run.id}/review`, {})).status).toBe(200)
  expect((await asUser(chief, 'POST', `/settlement/runs/${run.id}/approve`, { note: 'looked at' })).status).toBe(200)
  expect((await cli('settlement', 'post', run.id)).json()).toMatchObject({ state: 'posted' })
  const payments = join(folder, 'payments.csv')
  expect((await cli('settlement', 'payment-file', '--file', payments)).code).toBe(0)
  const last = (await readFile(payments, 'utf8')).replace('\uFEFF', '').trimEnd().split('\r\n').at(-1)
  expect(last).toMatch(run.payable === '0.00' ? /^TRAILER,0,0\.00,/ : new RegExp(`^TRAILER,1,${run.payable ?? ''},`))
  for (const lang of ['zh-CN', 'en']) {
    const pdf = join(folder, `${lang}.pdf`)
    expect((await cli('settlement', 'pdf', run.id, '--lang', lang, '--file', pdf)).code).toBe(0)
    expect((await readFile(pdf)).subarray(0, 5).toString()).toBe('%PDF-')
  }
  expect((await cli('settlement', 'pay', run.id, '--reference', 'bank-1')).json()).toMatchObject({ state: 'paid' })
  expect((await cli('settlement', 'close', run.id)).json()).toMatchObject({ state: 'closed' })
  expect(VerifyReply.parse((await cli('verify')).json())).toMatchObject({ ok: true })

  const [november] = (await (
    await asUser(chief, 'GET', `/settlement/periods?supplier=${SUPPLIER}`)
  ).json()) as unknown[]
  expect(SupplierPeriodView.parse(november)).toMatchObject({
    period: '2026-11',
    state: 'settled',
    runState: 'closed',
    requests: 2,
  })
})

test('a file with bad lines is refused over the wire with each of them named, and leaves nothing', async () => {
  const file = join(folder, 'bad.csv')
  await writeFile(file, `${CSV_HEAD}a,m,1,0,1,0.1,0\n\nb,m,-1,0,1,0.1,0\nc,m,1,0,1,1e400,0\n`)
  const refused = await cli('statement', 'import', file, '--supplier', SUPPLIER, '--period', '2026-10')
  expect(refused.code).toBe(3)
  expect(refused.json()).toMatchObject({
    error: {
      code: 'statement_rows',
      params: {
        flaws: [
          { line: 4, column: 'in', reason: 'negative' },
          { line: 5, column: 'net', reason: 'too_large' },
        ],
      },
    },
  })
  expect((await cli('statement', 'list', '--period', '2026-10')).json()).toEqual([])
})

test("a supplier's people see their own statements and settlements, contest penalties, and see and do nothing else", async () => {
  const own = await signIn('ops@secret.example', 'supplier')
  const other = await signIn('ops@other.example', 'supplier', 'other-supplier')
  const id = `st-${SUPPLIER}-2026-11-1`
  expect(await (await asUser(own, 'GET', '/settlement/statements')).json()).toMatchObject([{ id }])
  expect(await (await asUser(other, 'GET', '/settlement/statements')).json()).toEqual([])
  expect((await asUser(own, 'GET', `/settlement/statements/${id}/discrepancies`)).status).toBe(200)
  for (const path of [
    `/settlement/statements/${id}`,
    `/settlement/statements/${id}/discrepancies`,
    `/settlement/runs/sr-${SUPPLIER}-2026-11-1`,
  ])
    expect((await asUser(other, 'GET', path)).status, path).toBe(404)
  expect((await asUser(other, 'GET', `/settlement/runs?supplier=${SUPPLIER}`)).status).toBe(403)
  for (const path of [`/settlement/statements/${id}/match`, '/settlement/penalties', '/settlement/runs'])
    expect((await asUser(own, 'POST', path, {})).status, path).toBe(403)
  const made = await cli(
    'settlement',
    'penalty',
    'p-1',
    '--supplier',
    SUPPLIER,
    '--period',
    '2026-11',
    '--amount',
    '5.00',
    '--reason',
    'slow',
  )
  expect(made.json()).toMatchObject({ state: 'proposed', amount: '5.00' })
  const decide = '/settlement/penalties/p-1/decide'
  expect((await asUser(own, 'POST', decide, { decision: 'waive', reason: 'no' })).status).toBe(403)
  expect((await asUser(other, 'POST', decide, { decision: 'contest', reason: 'no' })).status).toBe(404)
  expect(
    await (await asUser(own, 'POST', decide, { decision: 'contest', reason: 'your link was down' })).json(),
  ).toMatchObject({ state: 'contested' })
})

test('a tenant sees nothing of suppliers and settlements, and a body that is no file is no statement', async () => {
  const tenant = await signIn('user@acme.example', 'tenant')
  for (const path of [
    '/settlement/periods',
    '/settlement/statements',
    '/settlement/runs',
    '/settlement/penalties',
    '/settlement/payment-file',
  ])
    expect((await asUser(tenant, 'GET', path)).status, path).toBe(403)
  for (const path of [
    `/settlement/statements?supplier=${SUPPLIER}&period=2026-10`,
    '/settlement/runs',
    '/settlement/runs/x/post',
  ])
    expect((await asUser(tenant, 'POST', path, {})).status, path).toBe(403)
  const chief = await signIn('other@factory.example', 'operator')
  const path = `/settlement/statements?supplier=${SUPPLIER}&period=2026-10`
  expect((await asUser(chief, 'POST', path, {})).status).toBe(415)
  expect((await asUser(chief, 'GET', '/settlement/statements/none')).status).toBe(404)
  expect((await asUser(chief, 'POST', '/settlement/runs/none/post', {})).status).toBe(404)
})

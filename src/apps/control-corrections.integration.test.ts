import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { DocumentReply, InvoiceRunReply, RerateReply } from '#contract'
import type { UsageRecord } from '#contract'
import { netOfTax, pico } from '#kernel'
import { SELLER } from '../../test/billing.ts'
import { ACME_REQUEST, ADMIN_TOKEN, FILE, NOW_MS, controlFixture, recordOf } from '../../test/control.ts'
import type { ControlFixture } from '../../test/control.ts'
import { openCommandLine } from '../../test/command-line.ts'
import type { CommandLine } from '../../test/command-line.ts'

const DAY_MS = 86_400_000
const YUAN = 10n ** 12n
/** What a request of these tests costs by the sheet that is wrong; by the right one it is half. */
const PRICE = (6n * YUAN) / 10n
const IDS = [3, 4, 5, 6].map((n) => `req_${String(n).padStart(26, '0')}`)

let it: ControlFixture
let line: CommandLine
let account: { readonly email: string; readonly password: string }
let statement: string | undefined
let session: { readonly token: string; readonly expiresAtMs: number } | undefined

beforeAll(async () => {
  it = await controlFixture()
  line = await openCommandLine(it)
  const dated = (id: string, input: number) =>
    `{ id: ${id}, validFrom: 2026-12-01, taxPercent: 6, perMillion: { uncachedInput: ${input}, output: ${4 * input} } }`
  const text = FILE.replace(/(sell: \[\{ id: sell-1.*)\]/, `$1, ${dated('sell-2', 1)}]`).replace(
    /(sell: \[\{ validFrom.*)\]/,
    `$1, ${dated('sell-other', 9)}]`,
  )
  await it.catalogue.apply({ text, fileName: 'f.yaml', dryRun: false })
  const want = `${5n * YUAN}`
  const reply = await it.charging.grant({
    ...{ gateway: 'gw-0', epoch: 1, seq: 9, bucket: 'wallet:acme' },
    min: want,
    want,
  })
  if (reply.outcome !== 'granted') throw new Error(reply.outcome)
  const { slice } = reply
  const records = IDS.map((id) => thousandfold(recordOf(id, 'acme', slice.id)))
  expect(await it.charging.ingest({ gateway: 'gw-0', records })).toMatchObject({ accepted: 4 })
  account = await it.identity.createAccount({ email: 'user@acme.example', role: 'tenant', tenant: 'acme' })
})
afterAll(async () => {
  await line[Symbol.asyncDispose]()
  await it[Symbol.asyncDispose]()
})

function thousandfold(record: UsageRecord): UsageRecord {
  const { uncachedInput, output } = record.tokens
  const tokens = { ...record.tokens, uncachedInput: uncachedInput * 1000, output: output * 1000 }
  const sell = pico(BigInt(record.sellPico) * 1000n)
  return {
    ...record,
    ...{ tokens, reported: tokens, counted: { input: 100_000, output: 50_000, method: 'estimate' } },
    holdPico: `${sell}`,
    sellPico: `${sell}`,
    taxPico: `${sell - netOfTax(sell, 6)}`,
    buyPico: `${BigInt(record.buyPico) * 1000n}`,
  }
}

async function signedIn(): Promise<string> {
  // Checking a password is slow on purpose, and the clock of these tests outruns a session.
  if (!session || session.expiresAtMs <= it.clock.nowMs())
    session = await it.identity.signIn({ ...account, caller: 'test' })
  return `tokenfactory_session=${session.token}`
}

async function post(who: 'operator' | 'tenant', path: string, body: unknown) {
  const identity: Record<string, string> =
    who === 'operator' ? { authorization: `Bearer ${ADMIN_TOKEN}` } : { cookie: await signedIn() }
  const reply = await it.app.request(`http://127.0.0.1:8081/api/v1${path}`, {
    method: 'POST',
    headers: { host: '127.0.0.1:8081', 'content-type': 'application/json', ...identity },
    body: JSON.stringify(body),
  })
  return { status: reply.status, reply: await reply.json() }
}

const cli = (...args: string[]) => line.run(args)

const balance = async (tenant: string) => BigInt((await it.charging.balance(tenant)).postedPico)
const expectBooksAgree = async () => expect((await cli('verify')).out).toContain('the books agree')
const corrections = async () => it.charging.corrections({ tenant: 'acme', limit: 99 })

const filter = { tenant: 'acme', sheet: 'sell-1', fromMs: NOW_MS - DAY_MS, toMs: NOW_MS }
const decision = { reference: 'fix-1', reason: 'twice too dear', sheet: 'sell-2' }
const filterArgs = ['--tenant', 'acme', '--rated-by', 'sell-1']
const rerateArgs = [
  ...['rerate', '--sheet', 'sell-2', '--reference', 'fix-1', '--reason', 'twice too dear', ...filterArgs],
  ...['--from', '2026-11-23T00:00:00+08:00', '--to', '2026-11-24T00:00:00+08:00'],
]

test('a wrong sheet, request, tenant or body is told before anything is booked', async () => {
  const rerate = (body: object) => post('operator', '/corrections/rerate', { ...decision, ...body })
  for (const [body, status, code] of [
    [{ filter, sheet: 'sell-none' }, 404, 'unknown_sheet'],
    [{ filter, sheet: 'secret-buy' }, 422, 'sheet_of_other_line'],
    [{ filter: { ...filter, service: 'babbler' }, sheet: 'sell-other' }, 422, 'sheet_of_other_line'],
    [{ usageIds: [IDS[0]], sheet: 'sell-other' }, 422, 'sheet_of_other_line'],
    [{ usageIds: [IDS[0], 'req_00000000000000000000000099'] }, 404, 'unknown_request'],
    [{ filter: { ...filter, tenant: 'nobody' } }, 404, 'unknown_tenant'],
    [{}, 422, 'invalid_request'],
    [{ filter, usageIds: IDS }, 422, 'invalid_request'],
    [{ filter: { ...filter, toMs: filter.fromMs } }, 422, 'invalid_request'],
    [{ filter: { ...filter, where: '1=1' } }, 422, 'invalid_request'],
    [{ filter, after: IDS[0], reason: ' ' }, 422, 'invalid_request'],
    [{ usageIds: IDS, after: IDS[0] }, 422, 'invalid_request'],
    [{ usageIds: ["'; drop table"] }, 422, 'invalid_request'],
    [{ filter, reference: 'a\u0000b' }, 422, 'invalid_request'],
    [{ filter, by: 'somebody else' }, 422, 'invalid_request'],
  ] as const)
    expect(await rerate(body)).toMatchObject({ status, reply: { code } })
  expect(await corrections()).toEqual([])
  const refund = { usageId: IDS[0], reference: 'r', reason: 'r' }
  for (const body of [{ ...refund, usageId: 'x' }, { ...refund, reason: '' }, { ...refund, by: 'x' }, {}, [], null])
    expect(await post('operator', '/corrections/refund', body)).toMatchObject({ status: 422 })
  for (const [path, body] of [
    ['/corrections/rerate', { ...decision, filter }],
    ['/corrections/refund', refund],
  ] as const)
    expect(await post('tenant', path, body)).toMatchObject({ status: 403, reply: { code: 'operators_only' } })
})

test('a price mistake is looked at, rated again over a filter, once, and the month bills what is right', async () => {
  const before = await balance('acme')
  const dry = await cli(...rerateArgs, '--dry-run')
  expect(dry).toMatchObject({
    code: 0,
    out: 'of 5 requests 5 would change, and the total by ¥-1.2003; nothing was booked\n',
  })
  expect([await corrections(), await balance('acme')]).toEqual([[], before])

  expect(await cli(...rerateArgs)).toMatchObject({
    code: 0,
    out: '5 requests were rated again, 0 stay as they are\n',
  })
  expect((await balance('acme')) - before).toBe(2n * PRICE + 300_000_000n)
  expect(await corrections()).toHaveLength(5)
  expect((await corrections())[0]).toMatchObject({ kind: 'rerate', sellSheet: 'sell-2', by: 'admin token' })
  await expectBooksAgree()

  const listed = (await cli('get', 'corrections', '--tenant', 'acme')).out
  expect(listed).toMatch(new RegExp(`${IDS[0] ?? ''} +1  rerate +sell-2 +0.3 .*admin token +twice too dear`))
  expect((await cli('get', 'lots', '--tenant', 'acme')).out).toMatch(/paid +topup:pay-acme +active +¥10 +¥8.7997 /)
  expect(await cli('get', 'lots')).toMatchObject({ code: 2 })

  const again = await cli(...rerateArgs, '-o', 'json')
  expect(JSON.parse(again.out)).toEqual({ corrected: 0, unchanged: 5, changePico: null })
  expect(await corrections()).toHaveLength(5)
  // Under the same reference nothing else may be decided.
  const reused = { ...decision, sheet: 'sell-1', usageIds: [ACME_REQUEST], dryRun: true }
  expect(await post('operator', '/corrections/rerate', reused)).toMatchObject({
    status: 409,
    reply: { code: 'correction_reused' },
  })
  const refused = { usageId: ACME_REQUEST, reference: 'fix-1', reason: 'r' }
  expect(await post('operator', '/corrections/refund', refused)).toMatchObject({ status: 409 })
  const known = RerateReply.parse((await post('operator', '/corrections/rerate', { ...decision, usageIds: IDS })).reply)
  expect(known).toEqual({ corrected: 0, unchanged: 4, changePico: null, next: null })

  expect((await post('operator', '/billing/seller', SELLER)).status).toBe(200)
  it.clock.advance(10 * DAY_MS)
  const run = InvoiceRunReply.parse((await post('operator', '/invoices/run', {})).reply)
  const acme = run.documents.find(({ tenant }) => tenant === 'acme')
  expect(acme).toMatchObject({ kind: 'statement', gross: '1.20' })
  statement = acme?.id
  await expectBooksAgree()
})

test('one request is given back, restores its lots, and is credited on what it was billed by', async () => {
  const lots = async () =>
    (await it.charging.lots({ tenant: 'acme', limit: 9 })).map(({ id, remaining }) => [id, remaining])
  const [[lot, before] = []] = await lots()
  const refund = ['refund', 'request', IDS[0] ?? '', '--reference', 'sorry', '--reason', 'empty answer']
  expect(await cli(...refund)).toMatchObject({ code: 0, out: `${IDS[0] ?? ''} is given back\n` })
  expect(await lots()).toEqual([[lot, BigInt(before ?? 0) + PRICE / 2n]])
  expect(await cli(...refund)).toMatchObject({ code: 0, out: `${IDS[0] ?? ''} costs nothing already\n` })
  expect(await lots()).toEqual([[lot, BigInt(before ?? 0) + PRICE / 2n]])
  // It stays free, whatever else is corrected.
  const later = { ...decision, reference: 'fix-2', sheet: 'sell-1', usageIds: [IDS[0]] }
  expect(await post('operator', '/corrections/rerate', later)).toMatchObject({ reply: { corrected: 0, unchanged: 1 } })
  expect(await cli('refund', 'request', 'req_00000000000000000000000099', ...refund.slice(3))).toMatchObject({
    code: 4,
  })
  await expectBooksAgree()

  it.clock.advance(31 * DAY_MS)
  const run = InvoiceRunReply.parse((await post('operator', '/invoices/run', {})).reply)
  const [note] = run.documents.filter(({ tenant }) => tenant === 'acme')
  expect(note).toMatchObject({ kind: 'credit_note', corrects: statement, gross: '-0.30' })
  const shown = await cli('invoices', 'show', note?.number ?? '', '-o', 'json')
  expect(DocumentReply.parse(JSON.parse(shown.out)).lines).toMatchObject([{ service: 'babbler', gross: '-0.30' }])
  await expectBooksAgree()
})

test('paid money moves between wallets once per reference, and never what is not there', async () => {
  const [acme, globex] = [await balance('acme'), await balance('globex')]
  const transfer = (...change: string[]) =>
    cli('transfer', '--from', 'acme', '--to', 'globex', '--amount', '0.000000000001', '--reference', 't', ...change)
  expect(await transfer()).toMatchObject({ code: 0, out: '¥0.000000000001 of acme were moved to globex\n' })
  expect(await transfer()).toMatchObject({ code: 0, out: expect.stringContaining('had been moved already') as string })
  expect([await balance('acme'), await balance('globex')]).toEqual([acme - 1n, globex + 1n])
  expect(await transfer('--amount', '2')).toMatchObject({ code: 1 })
  const rich = await post('operator', '/transfers', { from: 'acme', to: 'globex', amountYuan: '999', reference: 'u' })
  expect(rich).toMatchObject({ status: 402, reply: { code: 'insufficient_balance' } })
  expect(await transfer('--to', 'acme', '--reference', 'v')).toMatchObject({ code: 3 })
  expect(await transfer('--to', 'nobody', '--reference', 'v')).toMatchObject({ code: 4 })
  expect(await transfer('--amount=-1', '--reference', 'v')).toMatchObject({ code: 3 })
  expect(await transfer('--amount', '1e3', '--reference', 'v')).toMatchObject({ code: 3 })
  expect([await balance('acme'), await balance('globex')]).toEqual([acme - 1n, globex + 1n])
  await expectBooksAgree()
})

test("a tenant's user transfers from the own wallet only, and only to whom it is shared with", async () => {
  const body = { from: 'acme', to: 'globex', amountYuan: '0.5', reference: 'gift' }
  const share = { owner: 'acme', member: 'globex' }
  const before = await balance('globex')
  expect(await post('tenant', '/transfers', { ...body, from: 'globex', to: 'acme' })).toMatchObject({ status: 403 })
  const refused = { status: 403, reply: { code: 'not_shared' } }
  expect(await post('tenant', '/transfers', body)).toMatchObject(refused)
  expect(await post('tenant', '/transfers', { ...body, to: 'nobody' })).toMatchObject(refused)
  await it.database.transaction((tx) => it.charging.putShare(tx, { ...share, fromMs: it.clock.nowMs() }))
  expect(await post('tenant', '/transfers', body)).toMatchObject({ status: 200, reply: { booked: true } })
  await it.database.transaction((tx) => it.charging.endShare(tx, { ...share, atMs: it.clock.nowMs() }))
  // Asked again it is the same transfer; another one is too late.
  expect(await post('tenant', '/transfers', body)).toMatchObject({ status: 200, reply: { booked: false } })
  expect(await post('tenant', '/transfers', { ...body, reference: 'more' })).toMatchObject(refused)
  expect((await balance('globex')) - before).toBe(YUAN / 2n)
  await expectBooksAgree()
})

test('money of a wallet is set aside and paid back from the command line', async () => {
  const before = await balance('acme')
  const cash = ['refund', 'cash', '--tenant', 'acme', '--amount', '1.25', '--reference', 'r-1']
  const out = '¥1.25 of acme are set aside to be paid back (r-1)\n'
  expect(await cli(...cash)).toMatchObject({ code: 0, out })
  expect(await cli(...cash)).toMatchObject({ code: 0, out })
  expect(before - (await balance('acme'))).toBe((5n * YUAN) / 4n)
  expect(await cli('refund', 'cash', '--tenant', 'acme', '--amount', '0.001', '--reference', 'r-2')).toMatchObject({
    code: 3,
  })
  expect(await cli('refund', 'paid', 'r-1')).toMatchObject({ code: 0, out: '¥1.25 of acme are paid back (r-1)\n' })
  expect(await cli('refund', 'paid', 'r-9')).toMatchObject({ code: 4 })
  const listed = z.array(z.object({ reference: z.string(), state: z.string() }))
  expect(listed.parse(JSON.parse((await cli('get', 'refunds', '-o', 'json')).out))).toMatchObject([
    { reference: 'r-1', state: 'paid' },
  ])
  await expectBooksAgree()
})

test('the command line goes through all requests of a filter, however many calls that takes', async () => {
  const asked = {
    gateway: 'gw-0',
    epoch: 1,
    seq: 10,
    bucket: 'wallet:globex',
    min: `${2n * YUAN}`,
    want: `${2n * YUAN}`,
  }
  const reply = await it.charging.grant(asked)
  if (reply.outcome !== 'granted') throw new Error(reply.outcome)
  const records = Array.from({ length: 2000 }, (_, n) =>
    recordOf(`req_${String(n + 100).padStart(26, '0')}`, 'globex', reply.slice.id),
  )
  expect(await it.charging.ingest({ gateway: 'gw-0', records })).toMatchObject({ accepted: 2000 })
  const dry = await cli(...rerateArgs, '--tenant', 'globex', '--dry-run', '-o', 'json')
  expect(JSON.parse(dry.out)).toEqual({ corrected: 2001, unchanged: 0, changePico: `${-2001n * 300_000_000n}` })
  const usage = { ...filter, tenant: 'globex' }
  const last = { ...decision, filter: usage, after: records.at(-2)?.id }
  expect(await post('operator', '/corrections/rerate', last)).toMatchObject({
    reply: { corrected: 1, unchanged: 0, next: null },
  })
})

test.each([
  [['rerate', ...rerateArgs.slice(3)]],
  [rerateArgs.slice(0, -2)],
  [[...rerateArgs, ACME_REQUEST]],
  [[...rerateArgs, '--to', '2026-11-24']],
  [['refund', 'request', ACME_REQUEST, '--reference', 'r']],
  [['refund', 'cash', '--tenant', 'acme']],
  [['refund', 'everything']],
  [['transfer', '--from', 'acme', '--to', 'globex', '--amount', '1']],
])('a command line that is not whole ends with 2 and asks nothing of the factory: %j', async (args) => {
  expect(await cli(...args)).toMatchObject({ code: 2, out: '' })
})

test.each([['rerate'], ['refund'], ['transfer']])('%s --help tells its options and the exit codes', async (name) => {
  const { code, out } = await cli(name, '--help')
  expect(code).toBe(0)
  expect(out).toContain('--reference TEXT')
  expect(out).toContain('3  the file or the values have mistakes')
})

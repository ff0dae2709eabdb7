import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FILE, controlFixture } from '../../test/control.ts'
import type { ControlFixture } from '../../test/control.ts'
import { openCommandLine } from '../../test/command-line.ts'
import type { CommandLine } from '../../test/command-line.ts'
import { SUPPLIER_CONTEXT, SUPPLIER_MODEL, startSupplier } from '../../test/supplier/index.ts'
import type { Supplier } from '../../test/supplier/index.ts'

/** A run is as long as it is, and a busy machine makes it longer. */
const SLOW_MS = 120_000
let it: ControlFixture
let line: CommandLine
let folder: string
let vendor: Supplier
const ANN = { by: 'ann' }
const BOB = { by: 'bob' }

const tender = `id: t1
name: test
buyer: us
method: open_tender
year: 2026
estimateYuan: 1000000.00
taxPercent: 6
objectionDays: 0
suppliers: [{ id: letters, nameZh: 信, nameEn: Letters, type: compute, uscc: 91350100M000100Y43 }]
packages:
  - number: 1
    name: p1
    ceilingYuan: 1000000.00
    isOpen: true
    terms:
      kind: usage
      unit:
        { id: u1, displayName: unit, modelClass: m, modality: text, inputTokensPerMinute: 60000, outputTokensPerMinute: 4000,
          ttft: { percentilePpm: 950000, atMostMs: 20000 }, tpot: { percentilePpm: 950000, atMostMs: 5000 }, availabilityPpm: 900000,
          contextTokens: ${SUPPLIER_CONTEXT}, features: [streaming, tools, structured_output], region: cn, securityLevel: 2 }
      unitPriceYuan: 1000
      lotUnits: 1
      services: [letters]
      model: ${SUPPLIER_MODEL}
`

beforeAll(async () => {
  it = await controlFixture()
  vendor = await startSupplier({ mostAtOnce: 64 })
  const withVendor = FILE.replace(
    'tenants:',
    `  - { id: letters, kind: openai-compatible, baseUrl: "${vendor.url}", apiKeyEnv: VENDOR_KEY }\ntenants:`,
  ).replace(
    'services:',
    `services:
  - id: letters
    contextTokens: 256
    maxOutputTokens: 128
    tokenizer: { kind: bytes, bytesPerToken: 4 }
    sell: [{ validFrom: 2026-01-01, taxPercent: 6, perMillion: { uncachedInput: 2, output: 8 } }]
    deployments:
      - { supplier: letters, model: ${SUPPLIER_MODEL}, buy: [{ validFrom: 2026-01-01, taxPercent: 6, perMillion: { uncachedInput: 1, output: 4 } }] }`,
  )
  await it.catalogue.apply({ text: withVendor, fileName: 'f.yaml', dryRun: false })
  line = await openCommandLine(it)
  folder = await mkdtemp(join(tmpdir(), 'tokenfactory-accept-'))
})
afterAll(async () => {
  await line[Symbol.asyncDispose]()
  await vendor.close()
  await rm(folder, { recursive: true, force: true })
  await it[Symbol.asyncDispose]()
})

async function cli(...args: string[]) {
  const shown: string[] = []
  return { ...(await line.run(args, { shown })), shown }
}

/** An order of the supplier's that was delivered and waits for acceptance. */
async function delivered(): Promise<string> {
  const { agreements } = it
  const id = 't1/p1'
  const { created } = await agreements.applyTender(tender, 'tender.yaml', ANN)
  if (created) {
    await agreements.recordBid(id, { supplier: 'letters', pricePico: 1n, documentHash: 'a'.repeat(64) }, ANN)
    await agreements.evaluate(id, { letters: { price: 1 } }, ANN, 'alone')
    await agreements.publish(id, [{ supplier: 'letters', ppm: 1_000_000 }], ANN, 'alone')
    await agreements.award(id, BOB, 'alone')
    const draft = { package: id, supplier: 'letters', validFromMs: it.clock.nowMs(), validMonths: 72 }
    const agreement = await agreements.draft(draft, ANN)
    await agreements.submit(agreement.id, ANN, 'ready')
    await agreements.sign(agreement.id, BOB, 'signed')
  }
  const [order] = await agreements.propose({ package: id, units: 2, reason: 'call' }, ANN)
  if (!order) throw new Error('no order')
  await agreements.issue(order.batch, BOB, 'placed')
  await agreements.acknowledge(order.id, BOB, 'seen')
  await agreements.startDelivery(order.id, BOB, 'begun')
  await agreements.deliver(order.id, 2, BOB)
  return order.id
}

const stateOf = async (id: string) => (await it.agreements.callOffs({ id }))[0]
const SHORT = ['--seconds', '2', '--prompt', '50', '--answer', '20', '--burst', '4', '--fluctuation', '100']

test(
  'an order becomes capacity only by a run that passed, and the signed report says by what',
  { timeout: SLOW_MS },
  async () => {
    const id = await delivered()
    expect((await it.agreements.supplyTerms()).lots).toEqual([])
    const run = await cli('accept', id, ...SHORT)
    expect(run.err).toBe('')
    expect(run.out).toContain(`${id} is accepted`)
    expect(run.code).toBe(0)
    expect(
      run.shown.some((line) => line.startsWith('conformance ')) &&
        run.shown.some((line) => line.startsWith('identity ')),
    ).toBe(true)
    const reports = JSON.parse((await cli('accept', 'list', '-o', 'json')).out) as {
      id: string
      hash: string
      passed: boolean
    }[]
    const order = await stateOf(id)
    expect(order).toMatchObject({ reportHash: reports[0]?.hash })
    expect(['accepted', 'inService']).toContain(order?.state)
    expect((await it.agreements.supplyTerms()).lots).toMatchObject([{ supplier: 'letters', model: SUPPLIER_MODEL }])

    const [json, page] = [join(folder, 'report.json'), join(folder, 'report.html')]
    expect((await cli('accept', 'report', reports[0]?.id ?? '', '--file', json)).code).toBe(0)
    expect((await cli('accept', 'report', reports[0]?.id ?? '', '--file', page)).code).toBe(0)
    expect(await readFile(page, 'utf8')).toContain('<svg')
    expect(await cli('accept', 'verify', json)).toMatchObject({ code: 0 })
    const signed = await readFile(json, 'utf8')
    await writeFile(json, signed.replace(String.raw`\"failures\":0`, String.raw`\"failures\":1`))
    const forged = await cli('accept', 'verify', json)
    expect([forged.code, forged.out]).toEqual([7, 'NOT GENUINE: the text is not what the hash is of\n'])
    // Accepted is accepted.
    expect((await cli('accept', id, ...SHORT)).code).toBe(1)
  },
)

test(
  'a supplier that counts too much, or fails under the load of a trace, is refused and its order stays as it was',
  { timeout: SLOW_MS },
  async () => {
    const id = await delivered()
    const trace = join(folder, 'trace.csv')
    await writeFile(
      trace,
      `offset_ms,input_tokens,output_tokens\n${Array.from({ length: 20 }, (_, at) => `${at * 20},20,10`).join('\n')}\n`,
    )
    await vendor.close()
    const port = Number(new URL(vendor.url).port)
    vendor = await startSupplier({ port, defect: 'inflates_output', mostAtOnce: 64 })
    const liar = await cli('accept', id, '--trace', trace, '--burst', '4', '--fluctuation', '100')
    expect([liar.code, (await stateOf(id))?.state]).toEqual([7, 'delivered'])
    expect(liar.out).toContain('NOT ACCEPTED')

    await vendor.close()
    vendor = await startSupplier({
      port,
      mostAtOnce: 64,
      failure: (nth) => (nth > 80 && nth % 3 === 0 ? 500 : undefined),
    })
    const broken = await cli('accept', id, '--trace', trace, '--burst', '4', '--fluctuation', '100')
    expect([broken.code, (await stateOf(id))?.state]).toEqual([7, 'delivered'])
    expect(broken.out).toMatch(/FAIL +availability/)

    await vendor.close()
    vendor = await startSupplier({ port, mostAtOnce: 64 })
    const trial = await cli('accept', id, '--trace', trace, '--burst', '4', '--fluctuation', '100', '--trial')
    expect([trial.code, (await stateOf(id))?.state]).toEqual([0, 'delivered'])
    await writeFile(trace, 'offset_ms,input_tokens,output_tokens\n1,2\n')
    expect((await cli('accept', id, '--trace', trace)).code).not.toBe(0)
    expect((await cli('accept', 'cof_none')).code).toBe(1)
  },
)

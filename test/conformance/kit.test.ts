import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createTokenizer } from '#metering'
import { systemClock } from '#platform/clock'
import { checkConformance } from '#quality'
import type { Counter, KitOptions } from '#quality'
import { expect, test } from 'vitest'
import { runCli } from '../../src/apps/cli/run.ts'
import { startUpstream } from '../upstream/index.ts'
import { DEFECTS, SUPPLIER_CONTEXT, SUPPLIER_KEY, SUPPLIER_MODEL, startSupplier } from '../supplier/index.ts'
import type { Defect } from '../supplier/index.ts'

const bytes = createTokenizer({ kind: 'bytes', bytesPerToken: 4 }, { modelRoot: '.' })
const counter: Counter = {
  method: bytes.method,
  text: (text) => bytes.count(text),
  chat: (messages) => messages.reduce((sum, { content }) => sum + 4 + bytes.count(content), 0),
}
const OPTIONS: KitOptions = {
  counter,
  tolerance: { outputAbs: 4, outputPpm: 5000, inputAbs: 8, inputPpm: 10_000 },
  contextTokens: SUPPLIER_CONTEXT,
  promised: new Set(['tools', 'structured_output', 'multiple_choices']),
  burst: 16,
}

async function look(defect?: Defect, options = OPTIONS) {
  const supplier = await startSupplier(defect === undefined ? {} : { defect })
  const target = {
    baseUrl: supplier.url,
    model: SUPPLIER_MODEL,
    apiKey: SUPPLIER_KEY,
    maxTokensField: 'max_tokens',
    timeoutMs: 20_000,
  } as const
  try {
    return await checkConformance(target, options, { clock: systemClock })
  } finally {
    await supplier.close()
  }
}

test('a well-behaved supplier passes every check', async () => {
  const report = await look()
  expect(report.results.filter(({ verdict }) => verdict === 'fail')).toEqual([])
  expect(report.conforms).toBe(true)
  // Nothing but a fast stream could not be told.
  expect(report.results.filter(({ verdict }) => verdict === 'not_applicable').map(({ id }) => id)).toEqual([
    'stream.incremental',
  ])
})

test('every check has a defect that it notices', async () => {
  const { results } = await look()
  expect(results.map(({ id }) => id).toSorted()).toEqual([...new Set<string>(Object.values(DEFECTS))].toSorted())
})

test.concurrent.each(Object.entries(DEFECTS))('%s makes exactly %s fail', async (defect, check) => {
  const report = await look(defect as Defect)
  expect(report.results.filter(({ verdict }) => verdict === 'fail').map(({ id }) => id)).toEqual([check])
  expect(report.conforms).toBe(false)
})

test('without a tokenizer, a context and promises, what cannot be told is not judged', async () => {
  const bare = { ...OPTIONS, counter: undefined, contextTokens: undefined, promised: new Set<never>(), burst: 0 }
  const report = await look(undefined, bare)
  expect(report.conforms).toBe(true)
  const open = report.results.filter(({ verdict }) => verdict === 'not_applicable').map(({ id }) => id)
  expect(open).toEqual(expect.arrayContaining(['usage.prompt', 'usage.output', 'error.too_long', 'context.length']))
  expect((await look('ignores_max_tokens', bare)).conforms).toBe(false)
})

test('an endpoint that breaks every connection does not conform, and the kit ends', async () => {
  const upstream = await startUpstream()
  try {
    const target = { baseUrl: upstream.url, apiKey: undefined, maxTokensField: 'max_tokens', timeoutMs: 5000 } as const
    for (const model of ['fake-reset', 'fake-garbage', 'fake-cut']) {
      const report = await checkConformance({ ...target, model }, { ...OPTIONS, burst: 2 }, { clock: systemClock })
      expect(report.conforms).toBe(false)
      expect(report.results.find(({ id }) => id === 'answer.given')?.verdict).toBe('fail')
    }
  } finally {
    await upstream.close()
  }
})

async function cli(...args: string[]) {
  let [out, err] = ['', '']
  const code = await runCli(['conformance', ...args], {
    env: { LETTERS_KEY: SUPPLIER_KEY },
    write: (text) => (out += text),
    writeError: (text) => (err += text),
    readStandardInput: async () => '',
    nowMs: systemClock.nowMs,
  })
  return { code, out, err }
}

test('the command ends with 0 or 7, prints a table or JSON, and writes a page', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tokenfactory-conformance-'))
  const page = join(folder, 'report.html')
  const good = await startSupplier()
  const bad = await startSupplier({ defect: 'inflates_output' })
  const words = ['--model', SUPPLIER_MODEL, '--key-env', 'LETTERS_KEY', '--tokenizer', 'bytes:4', '--burst', '0']
  try {
    expect(await cli(good.url, ...words)).toMatchObject({ code: 0, err: '' })
    const { code, out } = await cli(bad.url, ...words, '--report', page)
    expect(code).toBe(7)
    expect(out).toMatch(/FAIL +usage\.output/)
    expect(await readFile(page, 'utf8')).toContain('<td class="fail">FAIL</td>')
    const json = await cli(bad.url, ...words, '-o', 'json')
    expect(json.code).toBe(7)
    expect(JSON.parse(json.out)).toMatchObject({ conforms: false, failed: 1, model: SUPPLIER_MODEL })
    expect((await cli(good.url)).code).toBe(2)
    expect((await cli(good.url, ...words, '--key-env', 'NOWHERE')).code).toBe(2)
    expect((await cli('ftp://x', ...words)).code).toBe(2)
  } finally {
    await Promise.all([good.close(), bad.close(), rm(folder, { recursive: true })])
  }
})

test('the embedded engine conforms', async () => {
  const engine = fork(fileURLToPath(new URL('../../src/apps/engine.ts', import.meta.url)), [], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, ENGINE_PORT: '0', LOG_LEVEL: 'warn' },
  })
  const exited = once(engine, 'exit')
  try {
    const [{ port }] = (await once(engine, 'message')) as [{ port: number }]
    const { code, out } = await cli(
      `http://127.0.0.1:${port}/v1`,
      ...['--model', 'babbler', '--tokenizer', 'gguf:babbler-q8_0.gguf', '--context', '2048'],
      ...['--promises', 'structured_output,tools', '--burst', '4', '-o', 'json'],
    )
    const { results } = JSON.parse(out) as { results: { id: string; verdict: string; saw: string }[] }
    expect(results.filter(({ verdict }) => verdict === 'fail')).toEqual([])
    expect(code).toBe(0)
  } finally {
    engine.kill('SIGTERM')
    await exited
  }
})

import { writeFile } from 'node:fs/promises'
import * as z from 'zod'
import { AcceptanceProgress, AcceptanceReply, AcceptanceView, SignedReportView } from '#contract'
import { flawOfReport } from '#quality'
import type { AcceptanceReport } from '#quality'
import type { Command, Invocation, Outcome } from './command.ts'
import { CliError, EXIT } from './exit-codes.ts'
import { count, milliseconds, time } from './format.ts'
import { printable, renderTable } from './table.ts'

const CELLS = 24

export const accept: Command = {
  name: 'accept',
  usage: 'CALL-OFF [--trial] | list | report ID | verify FILE',
  summary: 'test ordered capacity for real and take it into service if it is as agreed; ends with 7 if not',
  help: `  tokenfactory accept cof_… [--seconds 600] [--load 100] [--prompt 1000] [--answer 200]   Poisson arrivals at the ordered rate
  tokenfactory accept cof_… --trace trace.csv            offset_ms,input_tokens,output_tokens; sent when they are due
  tokenfactory accept list [--supplier ID]               reports, newest first
  tokenfactory accept report ID --file report.json | report.html
  tokenfactory accept verify report.json                 is it what was signed, and by whom

Conformance, model identity and a sustained load against the supplier. Only if everything passes, the order becomes capacity.

Options:
      --load 100           of all ordered units, in percent
      --prompt, --answer N tokens of a request and of its answer
      --trial              look only; nothing is accepted whatever comes out
      --fluctuation 20     how much pace and first token may swing between windows, in percent
      --burst 16           so many requests at once look for a limit; 0 for none`,
  options: {
    seconds: { type: 'string' },
    load: { type: 'string' },
    prompt: { type: 'string' },
    answer: { type: 'string' },
    fluctuation: { type: 'string' },
    burst: { type: 'string' },
    trace: { type: 'string' },
    trial: { type: 'boolean' },
    supplier: { type: 'string' },
    file: { type: 'string' },
  },
  arity: [1, 2],
  async run(invocation) {
    const [first = ''] = invocation.positionals
    if (first === 'list') return list(invocation)
    if (first === 'report') return save(invocation)
    if (first === 'verify') return verify(invocation)
    return run(invocation, first)
  },
}

async function run({ client, option, flag, showProgress = () => {} }: Invocation, callOff: string): Promise<Outcome> {
  const given = {
    ...{ callOff, seconds: option('seconds'), loadPercent: option('load'), inputTokens: option('prompt') },
    ...{ outputTokens: option('answer'), fluctuationPercent: option('fluctuation'), burst: option('burst') },
    trial: flag('trial') ? 'true' : undefined,
  }
  const query = new URLSearchParams(
    Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
  const path = `/quality/acceptances?${query.toString()}`
  const progress = { schema: AcceptanceProgress, show: (seen: AcceptanceProgress) => showProgress(line(seen)) }
  const trace = option('trace')
  const working =
    trace === undefined
      ? client.follow(path, AcceptanceReply, progress)
      : client.upload(path, trace, AcceptanceReply, progress)
  const reply = await working.finally(() => showProgress(''))
  const table = renderTable(
    [
      { title: 'RESULT', value: ({ passed }) => (passed ? 'pass' : 'FAIL') },
      { title: 'MEASURE', value: ({ name }) => name },
      { title: 'AGREED', value: ({ asked }) => asked },
      { title: 'MEASURED', value: ({ measured }) => measured },
    ],
    reply.judgements,
  )
  const { id, passed, hash } = reply.acceptance
  const end = reply.accepted
    ? `${callOff} is accepted`
    : passed
      ? 'it would be accepted'
      : 'NOT ACCEPTED: see the report'
  return {
    json: reply,
    text: `${table}\n${end}\nreport ${id}, SHA-256 ${hash}`,
    code: passed ? EXIT.ok : EXIT.notAsAgreed,
  }
}

function line({ stage, done, total, failures, ttftP50Ms, ttftP99Ms, tpotP50Ms }: AcceptanceProgress): string {
  const filled = total === 0 ? 0 : Math.floor((CELLS * done) / total)
  const bar = `${stage} ${'█'.repeat(filled)}${'░'.repeat(CELLS - filled)} ${count(done)} of ${count(total)}`
  if (stage !== 'load') return bar
  const pace = tpotP50Ms === null ? '-' : `${tpotP50Ms.toFixed(1)} ms`
  return `${bar}, ${failures} failed, first token p50 ${milliseconds(ttftP50Ms)} p99 ${milliseconds(ttftP99Ms)}, token ${pace}`
}

async function list({ client, option }: Invocation): Promise<Outcome> {
  const rows = await client.get('/quality/acceptances', z.array(AcceptanceView), { supplier: option('supplier') })
  const table = renderTable(
    [
      { title: 'REPORT', value: (row) => row.id },
      { title: 'RESULT', value: (row) => (row.passed ? 'passed' : 'failed') },
      { title: 'CALL-OFF', value: (row) => row.callOff },
      { title: 'SUPPLIER', value: (row) => row.supplier },
      { title: 'MODEL', value: (row) => row.model },
      { title: 'ENDED', value: (row) => time(row.endedAtMs) },
    ],
    rows,
  )
  return { json: rows, text: rows.length === 0 ? 'nothing was tested yet' : table }
}

async function save({ client, positionals, option }: Invocation): Promise<Outcome> {
  const [, id] = positionals
  const file = option('file')
  if (id === undefined || file === undefined) throw new CliError(EXIT.usage, 'accept report ID --file FILE')
  const path = `/quality/acceptances/${encodeURIComponent(id)}`
  if (file.endsWith('.html')) await client.save(`${path}/html`, file)
  else await writeFile(file, `${JSON.stringify(await client.get(path, SignedReportView))}\n`)
  return { json: { file }, text: file }
}

async function verify({ positionals, readInput }: Invocation): Promise<Outcome> {
  const [, file] = positionals
  if (file === undefined) throw new CliError(EXIT.usage, 'accept verify FILE')
  const signed = SignedReportView.safeParse(parsed(await readInput(file)))
  if (!signed.success) throw new CliError(EXIT.mistakes, `${file} is no signed report`)
  const flaw = flawOfReport(signed.data)
  if (flaw !== undefined) return { json: { ok: false, flaw }, text: `NOT GENUINE: ${flaw}`, code: EXIT.notAsAgreed }
  const report = parsed(signed.data.report) as AcceptanceReport
  const what = `${report.callOff} ${report.passed ? 'passed' : 'failed'}, ${report.supplier} ${report.model}, ${time(report.endedAtMs)}`
  const text = `genuine: ${printable(what)}\nsigned by the installation with the key\n${signed.data.publicKey.trim()}`
  return { json: { ok: true, hash: signed.data.hash, publicKey: signed.data.publicKey }, text }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import * as z from 'zod'
import { stream } from './random.ts'
import { zipf } from './synthetic.ts'
import { workloadOf } from './workload.ts'
import type { Row, Workload } from './workload.ts'

const TENANTS = 20
/** The first block of a prompt may be everybody's; with the second it is a conversation's. */
const ROOT_BLOCKS = 2

/**
 * Demand from a file: Azure's (`TIMESTAMP,ContextTokens,GeneratedTokens`) or Mooncake's (one JSON object per line, with hashes of
 * 512-token prompt blocks). Neither says whose a request is; tenants are drawn by Zipf's law, one for all that begins alike.
 */
export function readTrace(path: string, most = Number.POSITIVE_INFINITY): Workload {
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean)
  const name = basename(path).replace(/\.(csv|jsonl)$/, '')
  const rows = path.endsWith('.jsonl') ? lines.slice(0, most).map(fromMooncake) : fromAzure(lines, most)
  const draw = stream(1, `tenants of ${name}`)
  const owners = new Map<string, number>()
  const tenantOf = ({ blocks }: Row): number => {
    const root = blocks?.slice(0, ROOT_BLOCKS).join(' ')
    const tenant = (root === undefined ? undefined : owners.get(root)) ?? zipf(draw(), TENANTS)
    if (root !== undefined) owners.set(root, tenant)
    return tenant
  }
  const ordered = rows.toSorted((one, other) => one.arrivalMs - other.arrivalMs)
  const first = ordered[0]?.arrivalMs ?? 0
  return workloadOf(
    name,
    ordered.map((row) => ({ ...row, arrivalMs: row.arrivalMs - first, tenant: tenantOf(row) })),
  )
}

function fromAzure([header = '', ...lines]: readonly string[], most: number): Row[] {
  if (header.trim() !== 'TIMESTAMP,ContextTokens,GeneratedTokens') throw new Error(`not a trace of Azure's: ${header}`)
  return lines.slice(0, most).map((line) => {
    const [time = '', input, output] = line.trim().split(',')
    const [second = '', fraction = '0'] = time.split('.')
    const arrivalMs = Date.parse(`${second.replace(' ', 'T')}Z`) + 1_000 * Number(`0.${fraction}`)
    const row = { arrivalMs, inputTokens: Number(input), outputTokens: Number(output) }
    if (!Object.values(row).every(Number.isFinite)) throw new Error(`not a line of Azure's trace: ${line}`)
    return { ...row, inputTokens: Math.max(1, row.inputTokens) }
  })
}

const MooncakeLine = z.object({
  timestamp: z.number().min(0),
  input_length: z.int().min(1),
  output_length: z.int().min(0),
  hash_ids: z.array(z.int()),
})

function fromMooncake(line: string): Row {
  const { timestamp, input_length, output_length, hash_ids } = MooncakeLine.parse(JSON.parse(line))
  return { arrivalMs: timestamp, inputTokens: input_length, outputTokens: output_length, blocks: hash_ids }
}

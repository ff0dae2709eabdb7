import { createWriteStream } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import type { DiscrepancyClass, StatementMapping, UsageRecord } from '#contract'

import { YUAN, openSlice } from '../../test/charging.ts'
import { sampleRecord } from '../../test/sample-usage.ts'
import { BY_REQUEST, CSV_HEAD, NOVEMBER, csvLine, toldOf } from '../../test/settlement.ts'
import type { Told, World } from '../../test/settlement.ts'

/** What is wrong with a request on the statement, by its number modulo a thousand; nothing with all others. */
const INJECTED: ReadonlyMap<number, DiscrepancyClass | 'left' | 'alias'> = new Map([
  [7, 'missing_ours'],
  [101, 'missing_theirs'],
  [203, 'duplicate'],
  [307, 'quantity'],
  [401, 'price'],
  [503, 'tax'],
  [601, 'cutoff'],
  [701, 'model_mapping'],
  // No difference: a model under the supplier's own name, and what ended at the very end and is on no statement.
  [809, 'alias'],
  [907, 'left'],
])

export const MAPPING: StatementMapping = { ...BY_REQUEST, models: { 'GLM-5 旗舰': 'glm-5', 'QWEN MAX': 'qwen-max' } }

/** What the matching has to find, `class request`, and nothing else. */
export interface Month {
  readonly path: string
  readonly bytes: number
  readonly lines: number
  readonly expected: ReadonlySet<string>
  readonly leftPico: bigint
}

/**
 * A month of requests of one supplier, ingested, and the supplier's file about it, with every kind of difference put in here and there.
 * Neither is ever in memory as a whole.
 */
export async function makeMonth(
  world: Pick<World, 'charging' | 'folder'>,
  { count, onProgress = () => {} }: { count: number; onProgress?: (done: number) => void },
): Promise<Month> {
  const slice = await openSlice(world.charging, { tenant: 'acme', gateway: 'gw-0', amount: 10_000_000n * YUAN })
  const path = join(world.folder, `month-${count}.csv`)
  const file = createWriteStream(path)
  const expected = new Set<string>()
  let lines = 0
  let leftPico = 0n
  const write = async (told: Told): Promise<void> => {
    lines++
    if (!file.write(csvLine(told))) await once(file, 'drain')
  }
  file.write(CSV_HEAD)
  for (let from = 0; from < count; from += 500) {
    const records: UsageRecord[] = []
    for (let n = from; n < Math.min(from + 500, count); n++) {
      const kind = INJECTED.get(n % 1000)
      const record = requestOf(n, { count, kind, slice })
      records.push(record)
      if (kind === 'left') leftPico += BigInt(record.buyPico)
      for (const told of tellOf(record, kind)) await write(told)
      if (kind === 'missing_ours') expected.add(`${kind} ${strangerId(record.id)}`)
      else if (kind !== undefined && kind !== 'left' && kind !== 'alias') expected.add(`${kind} ${record.id}`)
    }
    await world.charging.ingest({ gateway: 'gw-0', records })
    onProgress(Math.min(from + 500, count))
  }
  file.end()
  await once(file, 'close')
  return { path, bytes: file.bytesWritten, lines, expected, leftPico }
}

function requestOf(
  n: number,
  { count, kind, slice }: { count: number; kind: string | undefined; slice: Partial<UsageRecord> },
): UsageRecord {
  // The last minutes of the month belong to those that are left, the first of December to those that are cut off.
  const spanMs = NOVEMBER.toMs - NOVEMBER.fromMs - 3_600_000
  const regularMs = NOVEMBER.fromMs + Math.floor((spanMs * (n + 1)) / (count + 1))
  const endMs = kind === 'left' ? NOVEMBER.toMs - 60_000 : kind === 'cutoff' ? NOVEMBER.toMs + 1_000 : regularMs
  const model = n % 3 === 0 ? 'glm-5' : 'qwen-max'
  return sampleRecord(n, { ...slice, supplier: 'vllm', model, acceptedAtMs: endMs - 900, completedAtMs: endMs })
}

const strangerId = (id: string): string => id.replace('req_0', 'req_9')

function tellOf(record: UsageRecord, kind: string | undefined): Told[] {
  const told = toldOf(record)
  switch (kind) {
    case 'missing_ours':
      return [told, { ...told, id: strangerId(told.id) }]
    case 'missing_theirs':
    case 'left':
      return []
    case 'duplicate':
      return [told, told]
    case 'quantity': {
      const more = { ...told, output: told.output + 9, netPico: told.netPico + 45_000_000n }
      return [{ ...more, taxPico: (more.netPico * 6n + 50n) / 100n }]
    }
    case 'price': {
      const netPico = told.netPico + 100_000_000n
      return [{ ...told, netPico, taxPico: (netPico * 6n + 50n) / 100n }]
    }
    case 'tax':
      return [{ ...told, taxPico: told.taxPico + 7_000_000n }]
    case 'model_mapping':
      return [{ ...told, model: told.model === 'glm-5' ? 'QWEN MAX' : 'GLM-5 旗舰' }]
    case 'alias':
      return [{ ...told, model: told.model === 'glm-5' ? 'GLM-5 旗舰' : 'QWEN MAX' }]
    default:
      return [told]
  }
}

/** Differences between what was found and what was put in; none if the matching is right. */
export async function compare({ settlement }: World, statement: string, month: Month): Promise<string[]> {
  const missing = new Set(month.expected)
  const wrong: string[] = []
  for (let after = 0; ;) {
    const page = await settlement.discrepancies({ statement, after, limit: 500 })
    for (const { class: kind, record } of page) {
      const name = `${kind} ${record ?? ''}`
      if (!missing.delete(name)) wrong.push(`found ${name}, which nobody put in`)
    }
    const last = page.at(-1)
    if (!last) break
    after = last.number
  }
  return [...wrong, ...[...missing].map((name) => `did not find ${name}`)]
}

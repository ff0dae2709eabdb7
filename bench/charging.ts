import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { grantSection } from './charging/grant.ts'
import { holdSection } from './charging/hold.ts'
import { ingestSection } from './charging/ingest.ts'
import { count, tableOf } from './charging/row.ts'
import type { Row } from './charging/row.ts'
import { usageSection } from './charging/usage.ts'
import { verifySection } from './charging/verify.ts'
import { openWorld } from './charging/world.ts'

const SECTIONS = ['hold', 'ingest', 'grant', 'usage', 'verify'] as const
type Section = (typeof SECTIONS)[number]

const HELP = `npm run bench:charging -- [options]     charging on a durable PostgreSQL of its own: one table with targets
  --records N        usage records that the dashboards and verify look at (default 200000; 10000000 takes 15 GB of disk and an hour)
  --quick            20000 records and short sections
  --section a,b      only these: ${SECTIONS.join(', ')} (verify looks at what the others booked)`

const { values: options } = parseArgs({
  options: {
    records: { type: 'string' },
    quick: { type: 'boolean', default: false },
    section: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

function isSection(name: string): name is Section {
  return SECTIONS.some((section) => section === name)
}

async function run(wanted: readonly Section[], records: number): Promise<Row[]> {
  const rows: Row[] = []
  const many = options.quick ? 5000 : 100_000
  const say = (section: Section) => console.error(`${section} …`)
  if (wanted.includes('hold')) {
    say('hold')
    rows.push(...(await holdSection(many)))
  }
  if (wanted.every((section) => section === 'hold')) return rows
  await using world = await openWorld()
  if (wanted.includes('ingest')) {
    say('ingest')
    rows.push(...(await ingestSection(world, Math.min(records, 200_000))))
  }
  if (wanted.includes('grant')) {
    say('grant')
    rows.push(...(await grantSection(world, options.quick ? 500 : 5000)))
  }
  if (wanted.includes('usage')) {
    say('usage')
    const beat = (done: number): void => {
      if (done % 1_000_000 === 0) console.error(`  ${count(done)} records`)
    }
    rows.push(...(await usageSection(world, records, beat)))
  }
  if (wanted.includes('verify')) {
    say('verify')
    rows.push(...(await verifySection(world)))
  }
  return rows
}

const names = options.section?.split(',') ?? [...SECTIONS]
const wanted = names.filter(isSection)
const records = Number(options.records ?? (options.quick ? 20_000 : 200_000))
if (options.help) {
  console.log(HELP)
} else if (wanted.length !== names.length || !Number.isSafeInteger(records) || records < 1000) {
  console.error(HELP)
  process.exitCode = 2
} else {
  const rows = await run(wanted, records)
  console.log(`${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown'}, Node ${process.versions.node}\n`)
  console.log(tableOf(rows))
}

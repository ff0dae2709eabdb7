import { spawn } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { manualClock } from '#platform/clock'
import { nullLog } from '#platform/log'
import { openDatabase, startEmbeddedPostgres } from '#platform/postgres'
import { WINNERS, factoryFile } from './demo/market.ts'
import { serveJuly } from './demo/month.ts'
import { atChina, deliver, procure } from './demo/procure.ts'
import { proveBooks, settleJuly } from './demo/settle.ts'
import { startSuppliers } from './demo/suppliers.ts'
import { openWorld } from './demo/world.ts'

const HELP = `npm run demo -- [options]     a tender from its announcement to the settled first month, then a console to click through
  --data-dir DIR   an empty or new folder (default ./data/demo)
  --stop           end when the books are proved, without the console`

const { values } = parseArgs({
  options: {
    'data-dir': { type: 'string', default: process.env['DATA_DIR'] ?? 'data/demo' },
    stop: { type: 'boolean' },
    help: { type: 'boolean' },
  },
})
if (values.help) console.log(HELP)
else await main(resolve(values['data-dir']))

async function main(dataDir: string): Promise<void> {
  if (existsSync(join(dataDir, 'postgres'))) {
    console.error(`${dataDir} holds an installation already: give the demo an empty folder with --data-dir`)
    process.exitCode = 1
    return
  }
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const passwords = await tellStory(dataDir)
  console.log(
    `\nPeople of the demo, by their passwords:\n${passwords.map(([email, password]) => `  ${email}  ${password}`).join('\n')}`,
  )
  if (values.stop) return
  const program = resolve(import.meta.dirname, '../src/apps/all-in-one.ts')
  const child = spawn(process.execPath, [program], { stdio: 'inherit', env: { ...process.env, DATA_DIR: dataDir } })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
  child.on('exit', (code) => process.exit(code ?? 1))
}

async function tellStory(dataDir: string): Promise<(readonly [email: string, password: string])[]> {
  const clock = manualClock(atChina('2026-03-01T09:00'))
  const tell = (text: string): void =>
    console.log(`${new Date(clock.nowMs() + 8 * 3_600_000).toISOString().slice(0, 10)}  ${text}`)
  await using undo = new AsyncDisposableStack()
  const server = await startEmbeddedPostgres({ dataDir: join(dataDir, 'postgres'), log: nullLog })
  undo.defer(() => server.stop())
  const database = undo.use(openDatabase(server.url, { max: 8, applicationName: 'demo' }))
  const world = await openWorld(database, clock, dataDir)
  const suppliers = undo.use(await startSuppliers(WINNERS, clock))
  const story = { world, clock, tell }
  const { newKeys } = await world.catalogue.apply({
    text: factoryFile(suppliers.url),
    fileName: 'demo.yaml',
    dryRun: false,
  })
  const keys = new Map(newKeys.map(({ tenant, secret }) => [tenant, secret]))
  await procure(story)
  await deliver(story, suppliers.url)
  await serveJuly(story, keys)
  await settleJuly(story, suppliers)
  await proveBooks(story)
  const people: (readonly [string, string])[] = []
  for (const { id } of WINNERS) {
    const account = await world.identity.createAccount({
      email: `ops@${id}.example`,
      role: 'supplier',
      tenant: null,
      supplier: id,
    })
    people.push([account.email, account.password])
  }
  const director = await world.identity.createAccount({ email: 'li@operator.example', role: 'operator', tenant: null })
  people.push([director.email, director.password])
  return people
}

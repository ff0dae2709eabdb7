import { existsSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { KITS, payloads } from './kits.ts'
import { findCollection, runKit } from './newman.ts'
import type { KitResult } from './newman.ts'
import { startPlane } from './plane.ts'
import { TENANT, seed } from './seed.ts'

/**
 * `npm run ctk`: points TM Forum's public conformance kits at a whole control plane. CTK_DIR is a folder with checkouts of them (their
 * licence lets nobody else hand them on): tmforum-oda/oda-component-ctk and, of tmforum-rand, CTK-TMF622-ProductOrdering, CTK-TMF635-Usage,
 * CTK-TMF654-PrepayBalance, CTK-TMF666-Account and CTK-TMF678-CustomerBill. Arguments choose APIs: `npm run ctk -- 654 678`.
 */
const say = (line: string) => process.stdout.write(`${line}\n`)

async function main(): Promise<boolean> {
  const folder = process.env['CTK_DIR']
  if (!folder || !existsSync(folder)) {
    say(
      `ctk: set CTK_DIR to a folder with checkouts of the kits (see test/ctk/run.ts)${folder ? `; ${folder} is none` : ''}`,
    )
    return false
  }
  const wanted = process.argv.slice(2)
  const kits = KITS.filter(({ api }) => wanted.length === 0 || wanted.some((number) => api.includes(number)))
  if (kits.length === 0) {
    say(`ctk: no kit for ${wanted.join(', ')}`)
    return false
  }
  for (const kit of kits) findCollection(resolve(folder), kit)

  await using plane = await startPlane()
  await seed(plane)
  const scratch = join(plane.dataDir, 'kits')
  mkdirSync(scratch)
  const headers = {
    accept: 'application/json',
    'content-type': 'application/json',
    authorization: `Bearer ${plane.token}`,
  }
  const results: KitResult[] = []
  for (const kit of kits) {
    const url = `${plane.url}/tmf-api/`
    results.push(await runKit(kit, { kits: resolve(folder), scratch, url, headers, payloads: payloads(TENANT) }))
  }

  say(row('API', 'requests', 'assertions', 'failures'))
  for (const { api, requests, assertions, failures } of results)
    say(row(api, `${requests}`, `${assertions}`, `${failures.length}`))
  for (const { api, failures } of results) for (const failure of failures) say(`${api}: ${failure}`)
  // A kit that asked or asserted nothing has proved nothing.
  return results.every((one) => one.failures.length === 0 && one.requests > 0 && one.assertions > 0)
}

function row(api: string, ...cells: readonly string[]): string {
  return `${api.padEnd(26)}${cells.map((cell) => cell.padStart(12)).join('')}`
}

process.exitCode = (await main()) ? 0 : 1

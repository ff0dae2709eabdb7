import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatYuan } from '#kernel'
import { ExplainReply } from '#contract'
import { browserPath, launchBrowser } from './browser.ts'

const root = join(import.meta.dirname, '../..')
const title =
  browserPath === undefined
    ? 'the whole factory, from a browser (SKIPPED: no Chromium found, set CHROMIUM_PATH)'
    : 'the whole factory, from a browser'

// Nothing here is a stand-in: engine, gateway, charging, PostgreSQL and console run as `npm start` runs them.
describe(title, { timeout: 120_000, skip: browserPath === undefined }, () => {
  let browser: Browser | undefined
  let factory: ChildProcess | undefined
  let dataDir = ''
  let consoleUrl = ''

  beforeAll(async () => {
    // In a process of its own: under vitest's NODE_ENV the build would leave React's development version in web/dist.
    await promisify(execFile)(
      process.execPath,
      ['node_modules/vite/bin/vite.js', 'build', '--config', 'web/vite.config.ts'],
      {
        cwd: root,
        env: { ...process.env, NODE_ENV: 'production' },
      },
    )
    dataDir = await mkdtemp(join(tmpdir(), 'factory-'))
    const [gatewayPort, controlPort] = await freePorts(2)
    consoleUrl = `http://127.0.0.1:${controlPort ?? 0}`
    factory = spawn(process.execPath, ['src/apps/all-in-one.ts'], {
      cwd: root,
      env: {
        ...process.env,
        NODE_ENV: 'production',
        DATA_DIR: dataDir,
        GATEWAY_PORT: String(gatewayPort),
        CONTROL_PORT: String(controlPort),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    await untilRunning(factory)
    browser = await launchBrowser()
  }, 180_000)

  afterAll(async () => {
    await browser?.close()
    if (factory && factory.exitCode === null) {
      factory.kill('SIGTERM')
      await once(factory, 'exit')
    }
    if (dataDir) await rm(dataDir, { recursive: true, force: true })
  }, 60_000)

  test('a person signs in, asks the model, sees what it cost to the last pico, and the books agree', async () => {
    if (!browser) throw new Error('no browser')
    const page = await browser.newPage({ locale: 'en-GB' })
    await page.goto(consoleUrl)
    await page.getByLabel('Email').fill('admin@factory.local')
    const password = await readFile(join(dataDir, 'admin-password'), 'utf8')
    await page.getByLabel('Password', { exact: true }).fill(password.trim())
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Usage', exact: true }).waitFor()

    await page.goto(`${consoleUrl}/#/playground?tenant=acme`)
    await page.getByRole('button', { name: 'Send' }).click()
    await page.locator('[data-testid=answer][data-state=done]').waitFor()
    expect(((await page.getByTestId('answer').textContent()) ?? '').length).toBeGreaterThan(0)
    await page.getByText('posted · held').waitFor()
    const shownCost = await page.getByTestId('cost').textContent()

    await page.getByRole('link', { name: /Open the request/ }).click()
    await page.getByRole('dialog').getByText('Customer wallet').waitFor()
    const id = decodeURIComponent(new URL(page.url()).hash.replace(/^#\/requests\/([^?]+).*$/, '$1'))
    const reply = await page.context().request.get(`${consoleUrl}/api/v1/requests/${id}`)
    const { record, posting, shares } = ExplainReply.parse(await reply.json())
    expect(record.ending).toBe('completed')
    expect(BigInt(record.sellPico)).toBeGreaterThan(0n)
    expect(shownCost).toBe(`¥${formatYuan(BigInt(record.sellPico))}`)
    expect(posting).not.toBeNull()
    expect(shares.reduce((sum, share) => sum + BigInt(share.amountPico), 0n)).toBe(0n)

    await page.goto(`${consoleUrl}/#/books`)
    await page.getByRole('button', { name: 'Verify now' }).click()
    await page.getByText('The books agree').waitFor()
  })
})

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}

/** Resolves when the factory has printed that it runs; fails with what it printed if it ends before that. */
async function untilRunning(child: ChildProcess): Promise<void> {
  let printed = ''
  await new Promise<void>((resolve, reject) => {
    const read = (piece: Buffer) => {
      printed += piece.toString()
      if (printed.includes('Token Factory is running')) resolve()
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    child.once('exit', (code) =>
      reject(new Error(`The factory ended with ${String(code)} before it was running:\n${printed}`)),
    )
  })
}

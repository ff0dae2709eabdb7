import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { formatYuan } from '#kernel'
import { ExplainReply } from '#contract'
import { startFactory } from '../factory.ts'
import type { Factory } from '../factory.ts'
import { browserPath, launchBrowser } from './browser.ts'

const root = join(import.meta.dirname, '../..')
const title =
  browserPath === undefined
    ? 'the whole factory, from a browser (SKIPPED: no Chromium found, set CHROMIUM_PATH)'
    : 'the whole factory, from a browser'

// Nothing here is a stand-in: engine, gateway, charging, PostgreSQL and console run as `npm start` runs them.
describe(title, { timeout: 120_000, skip: browserPath === undefined }, () => {
  let browser: Browser | undefined
  let factory: Factory | undefined

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
    const document = await readFile(join(root, 'examples/factory.yaml'), 'utf8')
    factory = await startFactory({ document, env: { NODE_ENV: 'production' } })
    browser = await launchBrowser()
  }, 180_000)

  afterAll(async () => {
    await browser?.close()
    await factory?.[Symbol.asyncDispose]()
  }, 60_000)

  test('a person signs in, asks the model, sees what it cost to the last pico, and the books agree', async () => {
    if (!browser || !factory) throw new Error('nothing was started')
    const { controlUrl: consoleUrl, dataDir } = factory
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
    await page.getByRole('dialog').getByText('Gifts and SLA credits').waitFor()
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

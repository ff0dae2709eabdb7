import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startMockServer } from '../../web/dev-mock/server.ts'
import type { MockServer } from '../../web/dev-mock/server.ts'
import { browserPath, launchBrowser } from './browser.ts'

const root = join(import.meta.dirname, '../..')
const title =
  browserPath === undefined
    ? 'the console in a browser (SKIPPED: no Chromium found, set CHROMIUM_PATH)'
    : 'the console in a browser'
if (browserPath === undefined)
  console.warn(
    'No Chromium is installed, so nothing of the console was tested in a browser. Install one or set CHROMIUM_PATH.',
  )

// A machine without a browser says so in the title and counts these as skipped; nothing here passes unseen.
describe(title, { timeout: 60_000, skip: browserPath === undefined }, () => {
  let browser: Browser
  let mock: MockServer
  let distFolder: string

  beforeAll(async () => {
    distFolder = await mkdtemp(join(tmpdir(), 'console-'))
    // Built, not served by a development server, so the checks see the policy it is served with; under test React adds its own.
    await build({ configFile: join(root, 'web/vite.config.ts'), build: { outDir: distFolder }, logLevel: 'error' })
    mock = await startMockServer({ distFolder, nowMs: () => Date.now() })
    browser = await launchBrowser()
  }, 120_000)

  afterAll(async () => {
    await browser?.close()
    await mock?.close()
    if (distFolder) await rm(distFolder, { recursive: true, force: true })
  })

  /** A browser of its own for each test, signed in, that fails the test on any error the page reports. */
  async function open(
    options: { readonly as?: string; readonly at?: string; readonly language?: string; readonly width?: number } = {},
  ) {
    const { as = 'operator@example.com', at = '#/overview', language = 'en-GB', width = 1440 } = options
    mock.failing = null
    const context = await browser.newContext({
      viewport: { width, height: 900 },
      locale: language,
      timezoneId: 'Asia/Shanghai',
    })
    const page = await context.newPage()
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => {
      // The browser itself logs every refused reply; those are what some tests are about.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        complaints.push(message.text())
    })
    await context.request.post(`${mock.url}/api/v1/session`, { data: { email: as, password: 'correct horse' } })
    await page.goto(`${mock.url}/${at}`)
    return {
      page,
      [Symbol.asyncDispose]: async () => {
        await context.close()
        expect(complaints).toEqual([])
      },
    }
  }

  async function signedOut(language: string): Promise<{ context: BrowserContext; page: Page }> {
    const context = await browser.newContext({ locale: language })
    await context.request.delete(`${mock.url}/api/v1/session`)
    const page = await context.newPage()
    await page.goto(mock.url)
    return { context, page }
  }

  test('a wrong password is told in words, the right one opens the console, and signing out closes it', async () => {
    const { context, page } = await signedOut('en-GB')
    await page.getByLabel('Email').fill('operator@example.com')
    await page.getByLabel('Password', { exact: true }).fill('wrong')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('alert').getByText('The email or the password is wrong.').waitFor()
    await page.getByLabel('Password', { exact: true }).fill('correct horse')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Usage', exact: true }).waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Sign in to the console' }).waitFor()
    await context.close()
  })

  test('the language follows the browser, can be switched, and is remembered', async () => {
    const { context, page } = await signedOut('zh-CN')
    await page.getByRole('heading', { name: '登录控制台' }).waitFor()
    await page.getByRole('button', { name: 'English' }).click()
    await page.getByRole('heading', { name: 'Sign in to the console' }).waitFor()
    await page.reload()
    await page.getByRole('heading', { name: 'Sign in to the console' }).waitFor()
    expect(await page.locator('html').getAttribute('lang')).toBe('en')
    await context.close()
  })

  test('the overview draws its five charts and its totals agree with the points they come from', async () => {
    await using opened = await open()
    const { page } = opened
    const reply = page.waitForResponse((response) => response.url().includes('/usage/live'))
    await page.reload()
    const points = (await (await reply).json()) as Array<{ requests: number }>
    const total = points.reduce((sum, point) => sum + point.requests, 0)
    expect(total).toBeGreaterThan(100)
    await page.locator('.charts canvas').nth(4).waitFor()
    const shown = await page.locator('.meter dd').first().textContent()
    expect(Number(shown?.replaceAll(',', ''))).toBeGreaterThanOrEqual(total)
  })

  test('a request explains itself: candidates, attempts, both counts, money and its posting', async () => {
    await using opened = await open({ at: '#/requests' })
    const { page } = opened
    const link = page.locator('table a code').nth(3)
    const id = await link.getAttribute('title')
    await link.click()
    const drawer = page.getByRole('dialog')
    for (const heading of [
      'Candidates, verdicts and scores',
      'Attempts',
      'Tokens: reported and our own count',
      'Money',
      'Posting',
    ])
      await drawer.getByRole('heading', { name: heading }).waitFor()
    await drawer
      .getByText(id ?? 'no id')
      .first()
      .waitFor()
    await drawer.getByText('Customer wallet').waitFor()
    await page.keyboard.press('Escape')
    await drawer.waitFor({ state: 'hidden' })
    expect(new URL(page.url()).hash).toBe('#/requests')
  })

  test('a new key is shown once, and revoking it asks first', async () => {
    await using opened = await open({ at: '#/keys?tenant=acme' })
    const { page } = opened
    await page.getByRole('button', { name: 'Create key' }).click()
    await page.getByRole('dialog').getByLabel('Name').fill('from the browser')
    await page.getByRole('dialog').getByRole('button', { name: 'Create key' }).click()
    const secret = await page.getByTestId('new-secret').textContent()
    expect(secret).toMatch(/^sk-tf-/)
    await page.keyboard.press('Escape')
    expect(await page.getByTestId('new-secret').isVisible()).toBe(true)
    await page.getByRole('button', { name: 'I have saved it, close' }).click()
    await page.getByTestId('new-secret').waitFor({ state: 'detached' })
    expect(await page.content()).not.toContain(secret)

    await page.getByRole('button', { name: 'Revoke from the browser' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('button', { name: 'Revoke from the browser' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
    await page.getByRole('row', { name: /from the browser.*Revoked/ }).waitFor()
  })

  test('a top-up states the exact amount and the balance after it before anything is posted', async () => {
    await using opened = await open({ at: '#/balance?tenant=lab' })
    const { page } = opened
    const posted: string[] = []
    page.on('request', (request) => request.url().endsWith('/topups') && posted.push(request.postData() ?? ''))
    await page.getByRole('button', { name: 'Top up' }).click()
    await page.getByLabel('Amount (yuan)').fill('1e3')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByText('Enter an amount above zero').waitFor()
    await page.getByLabel('Amount (yuan)').fill('0.000000000001')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByText('¥240.000000000001').waitFor()
    expect(posted).toEqual([])
    await page.getByRole('button', { name: 'Top up ¥0.000000000001' }).click()
    await page.getByText('+¥0.000000000001').waitFor()
    expect(posted).toHaveLength(1)
  })

  test('the playground streams an answer and then shows what it cost, from the books', async () => {
    await using opened = await open({ at: '#/playground?tenant=acme' })
    const { page } = opened
    await page.getByRole('button', { name: 'Send' }).click()
    await page.locator('[data-testid=answer][data-state=done]').waitFor()
    expect(await page.getByTestId('answer').textContent()).toContain('词元是模型读写文本的最小单位')
    await page.getByText('posted · held').waitFor()
    expect(await page.getByTestId('cost').textContent()).toMatch(/^¥0\.000\d+$/)
  })

  test('stopping the playground hangs up on the gateway', async () => {
    await using opened = await open({ at: '#/playground?tenant=acme' })
    const { page } = opened
    const hungUp = new Promise<void>((resolve) => (mock.onHangUp = resolve))
    await page.getByLabel('User message').fill('forever')
    await page.getByRole('button', { name: 'Send' }).click()
    await page.locator('[data-testid=answer][data-state=streaming]').waitFor()
    await page.getByRole('button', { name: 'Stop' }).click()
    await hungUp
    await page.locator('[data-testid=answer][data-state=stopped]').waitFor()
  })

  test.each([
    ['no money', 'The balance does not suffice'],
    ['busy', 'Try again in 7 s'],
    ['cut', 'was cut off midway'],
  ])('the playground tells a refusal in words: %s', async (prompt, words) => {
    await using opened = await open({ at: '#/playground?tenant=acme' })
    const { page } = opened
    await page.getByLabel('User message').fill(prompt)
    await page.getByRole('button', { name: 'Send' }).click()
    await page.getByRole('alert').getByText(words).waitFor()
  })

  test('a page whose data cannot be read says so and recovers when asked again', async () => {
    await using opened = await open({ at: '#/services' })
    const { page } = opened
    await page.getByRole('heading', { name: 'Prices', exact: true }).waitFor()
    mock.failing = 500
    await page.reload()
    await page.getByRole('alert').first().getByText('The server had an internal error.').waitFor()
    mock.failing = null
    await page.getByRole('alert').first().getByRole('button', { name: 'Retry' }).click()
    await page.getByRole('heading', { name: 'Prices', exact: true }).waitFor()
  })

  test('prices that hold under conditions stand below those of their service', async () => {
    await using opened = await open({ at: '#/services' })
    const { page } = opened
    await page.getByText('peak hours · Monday to Friday except holidays · 09:00–12:00, 14:00–18:00 +08:00').waitFor()
    await page.getByText('priority tier · input above 32,768').waitFor()
  })

  test('the books are verified on demand', async () => {
    await using opened = await open({ at: '#/books' })
    const { page } = opened
    await page.getByRole('button', { name: 'Verify now' }).click()
    await page.getByText('The books agree').waitFor()
    expect(await page.getByRole('row').count()).toBe(7)
  })

  test('a package is bought after its exact price and terms were shown, and stands among the subscriptions', async () => {
    await using opened = await open({ at: '#/shop?tenant=lab' })
    const { page } = opened
    const ordered: string[] = []
    page.on('request', (request) => request.url().endsWith('/orders') && ordered.push(request.method()))
    await page.getByRole('button', { name: 'Order 家庭包 10M' }).click()
    await page.getByRole('button', { name: 'Show the exact price and terms' }).click()
    await page.getByTestId('quote-gross').getByText('¥9.90').waitFor()
    await page.getByRole('dialog').getByText('¥9.339622641509 + ¥0.560377358491').waitFor()
    expect(ordered).toEqual([])
    await page.getByRole('button', { name: 'Pay ¥9.90' }).click()
    await page.getByRole('dialog').getByText('Completed').waitFor()
    expect(ordered).toContain('POST')
    await page.getByRole('dialog').getByRole('link', { name: 'Subscriptions' }).click()
    await page.getByText('9,999,975 standard-token').waitFor()
    await page.goto(`${mock.url}/#/shop/units?tenant=lab`)
    await page.getByRole('row', { name: /deepseek-v3\.2.*1,000 units.*100 units.*1,500 units/ }).waitFor()
  })

  test('a day is reconciled: zero stands as proven, a difference in red with the requests behind it', async () => {
    await using opened = await open({ at: '#/finance' })
    const { page } = opened
    await page.getByLabel('Day').fill('2026-11-21')
    await page.getByRole('button', { name: /Reconcile/ }).click()
    await page.getByRole('row', { name: /9,007,199,254,740,993.*Proven zero/ }).waitFor()
    await page.getByLabel('Day').fill('2026-11-22')
    await page.getByRole('button', { name: /Reconcile/ }).click()
    await page.getByText('There are differences: 2026-11-22').waitFor()
    await page.getByText('expected 301000000, found 300000000').waitFor()
    expect(await page.locator('b.tone-bad').first().textContent()).toBe('¥0.000001')
  })

  test('an invoice leads from its line to the requests behind it', async () => {
    await using opened = await open({ at: '#/finance/invoices' })
    const { page } = opened
    await page.getByRole('link', { name: 'INV-2026-000001' }).click()
    await page.getByRole('button', { name: 'Requests: 1' }).click()
    await page.getByRole('table', { name: 'Requests of' }).getByText('¥12.340000').first().waitFor()
    await page.getByRole('button', { name: 'PDF English' }).waitFor()
    await page.getByRole('button', { name: 'Record a payment' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Record ¥12.34' }).waitFor()
  })

  test('a tenant’s user is offered neither other tenants nor what only operators may do', async () => {
    await using opened = await open({ as: 'user@example.com', at: '#/balance' })
    const { page } = opened
    await page.getByRole('heading', { name: 'Postings' }).waitFor()
    expect(await page.getByRole('button', { name: 'Top up' }).count()).toBe(0)
    expect(await page.getByRole('link', { name: 'Verify books' }).count()).toBe(0)
    await page.goto(`${mock.url}/#/books`)
    await page.getByText('There is no such page').waitFor()
  })

  test.each(['en-GB', 'zh-CN'])('on a telephone no page is wider than the screen (%s)', async (language) => {
    await using opened = await open({ width: 390, language, at: '#/services' })
    const { page } = opened
    for (const name of [
      'overview',
      'requests',
      'playground?tenant=acme',
      'balance',
      'balance?tenant=acme',
      'shop?tenant=acme',
      'shop/subscriptions',
      'shop/units',
      'finance',
      'finance/invoices',
      'finance/doc_1',
      'keys',
      'services',
      'books',
    ]) {
      await page.goto(`${mock.url}/#/${name}`)
      await page.locator('h1').waitFor()
      await page.locator('.loading').first().waitFor({ state: 'detached' })
      expect([name, await page.evaluate(() => document.documentElement.scrollWidth)]).toEqual([name, 390])
    }
  })

  test('operators see what goes on now, and take a supplier out of service only after reading where its traffic goes', async () => {
    await using opened = await open({ at: '#/noc' })
    const { page } = opened
    await page.getByText('Silent for more than 10 s').waitFor()
    const lanes = page.getByRole('table', { name: 'Services and classes' })
    expect(await lanes.getByText('1.9 / 0.9').getAttribute('class')).toBe('tone-bad')
    const suppliers = page.getByRole('table', { name: 'Suppliers' })
    await suppliers.getByRole('button', { name: 'Drain' }).first().click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('nobody 20').waitFor()
    const act = dialog.getByRole('button', { name: 'Drain' })
    await dialog.getByLabel('Reason').fill('maintenance')
    // It alone serves something: that has to be accepted.
    expect(await act.isDisabled()).toBe(true)
    await dialog.getByLabel('I accept that these services pause').check()
    await act.click()
    await dialog.waitFor({ state: 'hidden' })
    await suppliers.getByText('Drained', { exact: true }).waitFor()
    await suppliers.getByRole('button', { name: 'Undrain' }).click()
    await page.getByRole('dialog').getByLabel('Reason').fill('back')
    await page.getByRole('dialog').getByRole('button', { name: 'Undrain' }).click()
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    const drains = page.getByRole('table', { name: 'Drains' })
    await expect.poll(() => drains.textContent()).toMatch(/maintenance.*back/)
  })
})

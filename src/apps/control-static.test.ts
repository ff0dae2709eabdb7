import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { Hono } from 'hono'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createStatic } from './control-static.ts'

const PAGE = `<!doctype html><title>console</title>${'<p>line</p>'.repeat(200)}`
let folder: string
const app = new Hono()

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tokenfactory-static-'))
  await mkdir(join(folder, 'dist', 'assets'), { recursive: true })
  await writeFile(join(folder, 'secret.txt'), 'secret')
  await writeFile(join(folder, 'dist', 'index.html'), PAGE)
  await writeFile(join(folder, 'dist', 'assets', 'app-abc.js'), 'void 0')
  const page = createStatic(join(folder, 'dist'))
  app.get('*', (context) => page(context))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('the page is asked for again each time, and an asset whose name changes with its content never', async () => {
  const page = await app.request('/')
  expect(page.headers.get('cache-control')).toBe('no-cache')
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(await page.text()).toBe(PAGE)
  const asset = await app.request('/assets/app-abc.js')
  expect(asset.headers.get('cache-control')).toContain('immutable')
  expect(asset.headers.get('content-type')).toContain('text/javascript')
})

test('whoever has the page already is told so, and whoever can unpack gets it packed', async () => {
  const first = await app.request('/', { headers: { 'accept-encoding': 'br, gzip' } })
  expect(first.headers.get('content-encoding')).toBe('gzip')
  expect(gunzipSync(Buffer.from(await first.arrayBuffer())).toString()).toBe(PAGE)
  const again = await app.request('/', { headers: { 'if-none-match': first.headers.get('etag') ?? '' } })
  expect(again.status).toBe(304)
})

test('addresses of pages inside the console answer with the console, missing files do not', async () => {
  expect(await (await app.request('/usage/today')).text()).toBe(PAGE)
  expect((await app.request('/assets/gone.js')).status).toBe(404)
})

test.each([
  '/../secret.txt',
  '/..%2fsecret.txt',
  '/%2e%2e/secret.txt',
  '/assets/..%2f..%2f..%2fsecret.txt',
  '//etc/passwd',
  '/assets/../../secret.txt',
])('no path leads out of the folder: %s', async (path) => {
  expect(await (await app.request(path)).text()).not.toBe('secret')
  expect(await (await app.request(path)).text()).not.toContain('root:')
})

test('a console that is built later is served without a restart', async () => {
  const late = join(folder, 'late')
  const page = createStatic(late)
  const other = new Hono().get('*', (context) => page(context))
  expect((await other.request('/')).status).toBe(503)
  await mkdir(late)
  await writeFile(join(late, 'index.html'), PAGE)
  expect((await other.request('/')).status).toBe(200)
})

import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import type { ApplyReply, KeyView, TenantView } from '#contract'
import { declareIfEmpty, tryDemoKey } from './all-in-one-first-start.ts'

/** What `/apply` does: answer, refuse, or take effect and never say so, as when everything is killed at that moment. */
type OnApply = 'answers' | 'refuses' | 'dies'

const FILE = `tenants: [{ id: trial }, { id: paying }]
keys:
  - { id: batch, tenant: paying }
  - { id: demo, tenant: trial, limits: { requestsPerMinute: 60 } }
`

/** The part of a control plane that the first start speaks to, with an installation that knows `FILE`'s tenants once applied. */
async function installation({ file = FILE, keys = ['batch', 'demo'] as readonly string[] } = {}) {
  const dataDir = mkdtempSync(join(tmpdir(), 'tokenfactory-first-'))
  const factoryFile = join(dataDir, 'factory.yaml')
  writeFileSync(factoryFile, file)
  const state = { onApply: 'answers' as OnApply, tenants: [] as TenantView[], made: [] as unknown[] }
  const view = (id: string): KeyView => ({
    id,
    tenant: id === 'demo' ? 'trial' : 'paying',
    name: id,
    preview: 'sk-tf-…',
    status: 'active',
    createdAtMs: 1,
    expiresAtMs: null,
    limits: id === 'demo' ? { requestsPerMinute: 60 } : {},
  })
  const apply = (): ApplyReply => {
    state.tenants = ['paying', 'trial'].map((id) => ({
      id,
      displayName: id,
      status: 'active',
      limits: {},
      postedPico: '0',
      escrowedPico: '0',
    }))
    const newKeys = keys.map((id) => ({ id, name: id, tenant: view(id).tenant, secret: `sk-tf-${id}` }))
    return { changes: [], newKeys }
  }
  const server = createServer((request, reply) => {
    const answer = (body: unknown, status = 200) => reply.writeHead(status).end(JSON.stringify(body))
    const { method = '' } = request
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x')
    void json(request)
      .catch(() => undefined)
      .then((body) => {
        switch (`${method} ${pathname}`) {
          case 'GET /api/v1/tenants':
            return answer(state.tenants)
          case 'GET /api/v1/keys':
            return answer(keys.map(view).filter(({ tenant }) => tenant === searchParams.get('tenant')))
          case 'POST /api/v1/keys':
            state.made.push(body)
            return answer({ id: 'another', name: 'demo', tenant: 'trial', secret: 'sk-tf-another' })
          case 'POST /api/v1/apply':
            if (state.onApply === 'refuses') return answer({ detail: 'it has mistakes' }, 422)
            if (state.onApply === 'answers') return answer(apply())
            apply()
            return reply.destroy()
          default:
            return answer({ detail: 'no such thing' }, 404)
        }
      })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const controlUrl = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  return {
    state,
    dataDir,
    start: () => declareIfEmpty({ controlUrl, adminToken: 'token', dataDir, factoryFile }),
    isPending: () => existsSync(join(dataDir, 'demo-pending')),
    [Symbol.dispose]() {
      server.close()
      server.closeAllConnections()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

test('the declared demo key is saved and shown again by later starts', async () => {
  using it = await installation()
  expect(await it.start()).toEqual({ demoKey: 'sk-tf-demo', applied: true })
  expect(it.isPending()).toBe(false)
  expect(await it.start()).toEqual({ demoKey: 'sk-tf-demo', applied: false })
  expect(it.state.made).toEqual([])
})

test.each(['tenants: [{ id: trial }, { id: paying }]\n', 'keys: []\n'])(
  'a file without keys gets no key, at no start: %j',
  async (file) => {
    using it = await installation({ file, keys: [] })
    expect(await it.start()).toEqual({ demoKey: undefined, applied: true })
    expect(it.isPending()).toBe(false)
    expect(await it.start()).toEqual({ demoKey: undefined, applied: false })
    expect(it.state.made).toEqual([])
  },
)

test('a key whose text a crash lost is replaced once, for the same tenant and with the same limits', async () => {
  using it = await installation()
  it.state.onApply = 'dies'
  await expect(it.start()).rejects.toThrow('fetch failed')
  expect(it.isPending()).toBe(true)
  expect(await it.start()).toEqual({ demoKey: 'sk-tf-another', applied: false })
  expect(it.state.made).toEqual([
    {
      tenant: 'trial',
      name: 'demo',
      expiresAtMs: null,
      limits: { requestsPerMinute: 60 },
    },
  ])
  expect(it.isPending()).toBe(false)
  expect(await it.start()).toEqual({ demoKey: 'sk-tf-another', applied: false })
  expect(it.state.made).toHaveLength(1)
})

test('what a crash left of a key that does not exist makes none', async () => {
  using it = await installation({ keys: [] })
  it.state.onApply = 'dies'
  await expect(it.start()).rejects.toThrow('fetch failed')
  expect(await it.start()).toEqual({ demoKey: undefined, applied: false })
  writeFileSync(join(it.dataDir, 'demo-pending'), 'half a sen')
  expect(await it.start()).toEqual({ demoKey: undefined, applied: false })
  expect(it.isPending()).toBe(false)
  expect(it.state.made).toEqual([])
})

test('a refused declaration leaves nothing pending', async () => {
  using it = await installation()
  it.state.onApply = 'refuses'
  await expect(it.start()).rejects.toThrow('POST /apply was refused (422): it has mistakes')
  expect(it.isPending()).toBe(false)
})

test('a declaration that cannot be read is one line', async () => {
  using it = await installation()
  rmSync(join(it.dataDir, 'factory.yaml'))
  await expect(it.start()).rejects.toMatchObject({
    name: 'StartError',
    message: `FACTORY_FILE=${join(it.dataDir, 'factory.yaml')} cannot be read: there is no such file`,
  })
})

test.each([
  { status: 200, demoKey: 'sk-tf-demo', model: 'babbler', isKept: true },
  { status: 401, demoKey: undefined, model: undefined, isKept: false },
  { status: 403, demoKey: 'sk-tf-demo', model: undefined, isKept: true },
])('one answer of $status settles whether the demo key is shown', async ({ status, demoKey, model, isKept }) => {
  using it = await installation()
  const file = join(it.dataDir, 'demo-key')
  writeFileSync(file, 'sk-tf-demo\n')
  let asked = 0
  const gateway = createServer((_, reply) => {
    asked++
    reply.writeHead(status).end(JSON.stringify({ data: [{ id: 'babbler' }] }))
  }).listen(0, '127.0.0.1')
  await once(gateway, 'listening')
  using _ = { [Symbol.dispose]: () => void gateway.close() }
  const address = gateway.address()
  const found = await tryDemoKey({
    apiUrl: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/v1`,
    dataDir: it.dataDir,
    demoKey: readFileSync(file, 'utf8').trim(),
    patienceMs: 600_000,
    isOver: () => false,
  })
  expect(found).toEqual({ demoKey, model })
  expect(asked).toBe(1)
  expect(existsSync(file)).toBe(isKept)
})

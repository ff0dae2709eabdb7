import { expect } from 'vitest'
import type { BalanceView, ExplainReply, VerifyReply } from '#contract'
import { factoryDocument } from '../factory-document.ts'
import { startFactory } from '../factory.ts'
import type { Factory } from '../factory.ts'
import { startUpstream } from '../upstream/index.ts'
import type { Upstream } from '../upstream/index.ts'

export interface Failure {
  readonly status: number
  readonly code: string | null
  readonly type: string
  readonly message: string
  readonly param: string | null
}

/** The gateway process against two real, misbehaving HTTP suppliers, judged from both sides and by the books. */
export interface Stage extends AsyncDisposable {
  readonly first: Upstream
  readonly second: Upstream
  readonly factory: Factory
  chat(
    body: object | string,
    options?: { key?: string; signal?: AbortSignal; headers?: Record<string, string> },
  ): Promise<Response>
  /** What the books say of a request, once its record has been ingested. */
  booked(id: string | null): Promise<ExplainReply>
  /** A key that every worker knows. */
  newKey(tenant: string, over?: object): Promise<string>
  /** Waits until nothing is under way, held, unshipped or escrowed any more, then proves the books. */
  expectClean(): Promise<void>
}

export const hello = [{ role: 'user', content: 'Hello there' }]

const quick = { firstByteMs: 600, idleMs: 600, totalMs: 3_000 }

export async function setStage(env: Readonly<Record<string, string>> = {}): Promise<Stage> {
  const first = await startUpstream()
  const second = await startUpstream()
  const factory = await startFactory({
    env,
    document: factoryDocument({
      suppliers: {
        first: first.url,
        second: second.url,
        locked: { baseUrl: first.url, apiKeyEnv: 'NO_SUCH_KEY' },
        narrow: { baseUrl: second.url, maxConcurrency: 1 },
      },
      services: [
        { id: 'plain', deployments: [['first', 'plain-upstream']], timeouts: quick },
        {
          id: 'org/paired',
          deployments: [
            ['first', 'flaky'],
            ['second', 'steady'],
          ],
          timeouts: quick,
        },
        {
          id: 'strict',
          deployments: [
            ['first', 'strict'],
            ['second', 'steady'],
          ],
        },
        {
          id: 'unlocked',
          deployments: [
            ['locked', 'x'],
            ['second', 'steady'],
          ],
        },
        { id: 'narrow', deployments: [['narrow', 'slow']], timeouts: quick },
        {
          id: 'tiered',
          deployments: [['first', 'plain-upstream']],
          variants: [{ when: { tier: 'priority' }, multiplier: 2 }],
        },
        {
          id: 'weighed',
          isWeighed: true,
          deployments: [
            ['first', 'weighed'],
            ['second', 'weighed'],
          ],
          more: { sla: [{ class: 'standard', ttftMs: 2_000, tpotMs: 200, attainmentPercent: 99, missYuan: 0.001 }] },
        },
        { id: 'private', deployments: [['first', 'plain-upstream']], tenants: ['other'] },
      ],
      tenants: [
        { id: 'acme', topUpYuan: '100', more: { sharesWith: ['guest'] } },
        { id: 'guest' },
        { id: 'curious', topUpYuan: '1', more: { seesSuppliers: true } },
        { id: 'budgeted', topUpYuan: '1', more: { budgets: { dayYuan: '0.02' } } },
        { id: 'arrears', topUpYuan: '1', more: { status: 'restricted' } },
        { id: 'other' },
        { id: 'poor', topUpYuan: '0.000001' },
        { id: 'limited', topUpYuan: '10' },
      ],
      keys: [{ id: 'demo', tenant: 'acme' }],
    }),
  })
  const gauge = async (name: string) => {
    const text = await (await fetch(`${factory.apiUrl.replace('/v1', '')}/metrics`)).text()
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
  }
  return {
    first,
    second,
    factory,
    chat: (body, options = {}) =>
      fetch(`${factory.apiUrl}/chat/completions`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${options.key ?? factory.demoKey}`,
          'content-type': 'application/json',
          ...options.headers,
        },
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...(options.signal ? { signal: options.signal } : {}),
      }),
    async booked(id) {
      const explain = () => factory.control<ExplainReply>('GET', `/requests/${id ?? 'missing'}`)
      await expect.poll(() => explain().catch(() => undefined), { timeout: 10_000 }).toBeDefined()
      return explain()
    },
    async newKey(tenant, over = {}) {
      const { secret } = await factory.control<{ secret: string }>('POST', '/keys', { tenant, name: 'test', ...over })
      await factory.untilKeyAnswers(secret, 200)
      return secret
    },
    async expectClean() {
      for (const name of ['requests_in_flight', 'holds_outstanding', 'journal_unshipped_records', 'slices_open'])
        await expect.poll(() => gauge(`tokenfactory_${name}`), { timeout: 20_000 }).toBe(0)
      expect(await gauge('tokenfactory_journal_quarantined_records')).toBe(0)
      expect((await factory.control<BalanceView>('GET', '/balance?tenant=acme')).escrowedPico).toBe('0')
      const { ok, checks } = await factory.control<VerifyReply>('POST', '/verify')
      expect(checks.filter((check) => !check.ok)).toEqual([])
      expect(ok).toBe(true)
    },
    async [Symbol.asyncDispose]() {
      await factory[Symbol.asyncDispose]()
      await first.close()
      await second.close()
    },
  }
}

export async function failure(response: Response): Promise<Failure> {
  const { error } = (await response.json()) as { error: Omit<Failure, 'status'> }
  return { status: response.status, ...error }
}

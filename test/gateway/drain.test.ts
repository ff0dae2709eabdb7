import { expect, test } from 'vitest'
import type { DrainPreview, NocReply } from '#contract'
import { hello, setStage } from './stage.ts'

test(
  'a drained supplier ends what it has begun and gets nothing new; operators see it, and undone it is back',
  { timeout: 120_000 },
  async () => {
    await using stage = await setStage()
    const { factory, first, second } = stage
    const noc = () => factory.control<NocReply>('GET', '/noc')
    const ask = async () => (await stage.chat({ model: 'strict', messages: hello })).text()
    first.script('strict', { kind: 'answer', events: 90, eventDelayMs: 50 })
    const running = await stage.chat({ model: 'strict', messages: hello, stream: true })
    await expect
      .poll(async () => (await noc()).suppliers.find(({ supplier }) => supplier === 'first')?.inFlight, {
        timeout: 20_000,
      })
      .toBe(1)

    const preview = await factory.control<DrainPreview>('GET', '/suppliers/first/drain')
    expect(preview.isKnown).toBe(true)
    expect(preview.orphaned).toEqual(['plain', 'private', 'tiered'])
    await factory.control('POST', '/suppliers/first/drain', { reason: 'test', acceptOrphans: true })
    // Gateways hear of it by the next snapshot.
    await expect
      .poll(
        async () => {
          const before = first.requests('strict')
          await ask()
          return first.requests('strict') - before
        },
        { timeout: 20_000 },
      )
      .toBe(0)
    const asked = first.requests('strict')
    for (let i = 0; i < 5; i++) await ask()
    expect(first.requests('strict')).toBe(asked)
    expect(second.requests('steady')).toBeGreaterThanOrEqual(5)
    // What had begun there ends there, whole.
    expect((await running.text()).endsWith('data: [DONE]\n\n')).toBe(true)
    await expect
      .poll(async () => (await noc()).lanes.find(({ service }) => service === 'strict')?.demandPerMinute, {
        timeout: 20_000,
      })
      .toBeGreaterThan(0)
    expect((await noc()).suppliers.find(({ supplier }) => supplier === 'first')?.drain).toMatchObject({
      drainReason: 'test',
    })

    first.script('strict', { kind: 'answer' })
    await factory.control('POST', '/suppliers/first/undrain', { reason: 'over' })
    await expect
      .poll(
        async () => {
          const before = first.requests('strict')
          await ask()
          return first.requests('strict') - before
        },
        { timeout: 20_000 },
      )
      .toBe(1)
  },
)

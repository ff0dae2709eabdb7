import { expect, test } from 'vitest'
import { hello, setStage } from './stage.ts'

test(
  'a stream that our own shutdown cuts ends with a typed error, and is not charged',
  { timeout: 120_000 },
  async () => {
    await using stage = await setStage({ DRAIN_SECONDS: '1' })
    const { factory, first } = stage
    first.script('plain-upstream', { kind: 'answer', events: 900, eventDelayMs: 20 })
    const response = await stage.chat({ model: 'plain', messages: hello, stream: true })
    const reader = response.body?.getReader()
    const begun = await reader?.read()
    expect(Buffer.from(begun?.value ?? []).toString()).toContain('data: {')

    const stopped = factory.stop()
    let text = ''
    for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read())
      text += Buffer.from(piece.value).toString()
    expect(text).toContain('"code":"answer_cut"')
    expect(text).not.toContain('[DONE]')
    expect(await stopped).toBe(0)

    await factory.restart()
    const { record } = await stage.booked(response.headers.get('x-request-id'))
    expect(record).toMatchObject({ ending: 'failed', sellPico: '0' })
    await stage.expectClean()
  },
)

import fc from 'fast-check'
import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { createFormat, sumPico } from './format.ts'
import { hrefTo, parseRoute } from './router.ts'
import { curlSnippet } from './snippets.ts'
import { createEventParser } from './sse.ts'

test('money is shown to the last pico, whatever its size', () => {
  const { money, fineMoney } = createFormat('zh-CN')
  expect(money('1')).toBe('¥0.000000000001')
  expect(money('-1500000000000')).toBe('-¥1.50')
  expect(money(12_345_678_901_234_567_890_123n)).toBe('¥12,345,678,901.234567890123')
  expect(fineMoney('0')).toBe('¥0.000000')
})

test('both languages show the same digits of the same amount', () => {
  const digits = (text: string) => text.replaceAll(/[^\d.-]/g, '')
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }), (amount) => {
      const zh = digits(createFormat('zh-CN').money(amount))
      expect(digits(createFormat('en-GB').money(amount))).toBe(zh)
      const [whole = '', fraction = ''] = zh.split('.')
      expect(BigInt(whole + fraction.padEnd(12, '0'))).toBe(amount)
    }),
  )
})

test('sums of amounts are exact', () => {
  expect(sumPico(['9007199254740993', '1', '-3'])).toBe(9_007_199_254_740_991n)
})

test('events come out whole, however the stream is cut into pieces', () => {
  const stream = ': hello\n\ndata: {"a":1}\r\n\r\nevent: x\ndata: one\ndata:two\n\ndata: [DONE]\n\n'
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 60 }), (sizes) => {
      const events: string[] = []
      const feed = createEventParser((data) => events.push(data))
      let at = 0
      for (let turn = 0; at < stream.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1
        feed(stream.slice(at, at + size))
        at += size
      }
      expect(events).toEqual(['{"a":1}', 'one\ntwo', '[DONE]'])
    }),
  )
})

test('an unfinished event is not delivered', () => {
  const events: string[] = []
  createEventParser((data) => events.push(data))('data: half\n')
  expect(events).toEqual([])
})

test('a shell receives the prompt of the curl line unchanged, whatever it contains', () => {
  const content = `it's $HOME \`id\` "x" \\ \n 词元 !`
  const command = curlSnippet({
    gatewayUrl: 'http://127.0.0.1:8080/v1',
    key: 'k',
    body: { model: 'm', messages: [{ role: 'user', content }] },
  })
  const received = execFileSync('sh', ['-c', `curl() { printf %s "$7"; }; ${command}`], { encoding: 'utf8' })
  expect(JSON.parse(received)).toEqual({ model: 'm', messages: [{ role: 'user', content }] })
})

test('an address is read back as it was written, and page filters can be dropped', () => {
  const href = hrefTo('requests', 'req_a/b%', new URLSearchParams({ tenant: 'acme', x: '1' }), { x: null })
  const route = parseRoute(href)
  expect([route.page, route.detail, route.search.get('tenant'), route.search.get('x')]).toEqual([
    'requests',
    'req_a/b%',
    'acme',
    null,
  ])
})

test('a hand-typed address with a stray percent sign is still an address', () => {
  expect(parseRoute('#/requests/100%').detail).toBe('100%')
})

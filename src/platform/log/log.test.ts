import { expect, test } from 'vitest'
import { createLog, scrubbed, withoutCredentials } from '#platform/log'

function capture() {
  const lines: string[] = []
  return { lines, log: createLog({ name: 'test', level: 'debug', write: (line) => void lines.push(line) }) }
}

test('a line carries time, level, program, fields and message', () => {
  const { lines, log } = capture()
  log.child({ worker: 1 }).info({ posted: 12n }, 'ready')
  const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>
  expect(line).toMatchObject({ level: 'info', name: 'test', worker: 1, posted: '12', msg: 'ready' })
  expect(line['time']).toMatch(/^\d{4}-\d\d-\d\dT/)
})

test.each([
  ['headers', { headers: { authorization: 'Bearer hunter2hunter2', 'X-Api-Key': 'hunter2hunter2' } }],
  ['a prompt', { request: { messages: [{ role: 'user', content: 'hunter2hunter2' }] } }],
  ['an answer', { choices: [{ message: { content: 'hunter2hunter2' } }] }],
  ['a password', { user: { password: 'hunter2hunter2' } }],
  ['a key in text', { note: 'called with sk-hunter2hunter2' }],
  ['a bearer token in text', { note: 'sent Authorization: Bearer hunter2hunter2' }],
  ['a URL', { url: 'postgres://tokenfactory:hunter2hunter2@127.0.0.1/postgres' }],
  [
    'an error',
    { err: new Error('connect postgres://a:hunter2hunter2@h', { cause: new Error('Bearer hunter2hunter2') }) },
  ],
  ['a buffer', { piece: Buffer.from('hunter2hunter2') }],
])('%s does not reach the log', (_, fields) => {
  const { lines, log } = capture()
  log.error(fields, 'failed with Bearer hunter2hunter2')
  log.child(fields).warn({}, 'again')
  expect(lines).toHaveLength(2)
  expect(lines.join('')).not.toContain('hunter2')
})

test('an error keeps what is needed to find it', () => {
  const error = Object.assign(new Error('no route', { cause: new TypeError('inner') }), { code: 'EHOSTUNREACH' })
  expect(scrubbed({ err: error })).toMatchObject({
    err: {
      type: 'Error',
      message: 'no route',
      code: 'EHOSTUNREACH',
      stack: expect.stringContaining('log.test.ts'),
      cause: { message: 'inner' },
    },
  })
})

test('the kind of an error reaches the line', () => {
  const { lines, log } = capture()
  log.error({ err: new RangeError('too far') }, 'failed')
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ err: { type: 'RangeError', message: 'too far' } })
})

test('a cycle ends', () => {
  const loop: Record<string, unknown> = {}
  loop['self'] = loop
  expect(JSON.stringify(scrubbed(loop))).toContain('[deep]')
})

test('ordinary text is left alone', () => {
  const text = 'GET http://127.0.0.1:8080/v1/models took 12 ms, task-force'
  expect(withoutCredentials(text)).toBe(text)
})

import * as fc from 'fast-check'
import { BIG_BODY, authCases, framingCases, http, routeCases } from './http-cases.ts'

/**
 * One hostile request. `refuse`: it must get a typed error of the 4xx kind (or 501/505 for what HTTP itself does not support).
 * `survive`: it may be served, but whatever comes back must be well formed and not our fault.
 */
export interface HostileCase {
  readonly label: string
  readonly bytes: Buffer
  readonly must: 'refuse' | 'survive'
  readonly hangUpAfter?: number
  readonly hasBody?: boolean
}

export interface HostileTarget {
  readonly key: string
  readonly model: string
  /** Answers so slowly that a client can leave in the middle. */
  readonly slowModel: string
}

type Json = fc.JsonValue | undefined

const MESSAGES = [{ role: 'user', content: 'hello' }]

function chat(target: HostileTarget, fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ model: target.model, messages: MESSAGES, ...fields })
}

const isCount = (value: Json): boolean =>
  value === null || value === undefined || (Number.isSafeInteger(value) && Number(value) >= 1)

/** Members that we act on, each with what it may rightly be: everything else must be refused. */
const OUR_FIELDS: Readonly<Record<string, (value: Json) => boolean>> = {
  model: () => false,
  messages: () => false,
  stream: (value) => typeof value === 'boolean' || value === null,
  max_tokens: isCount,
  max_completion_tokens: isCount,
  n: (value) => isCount(value) && Number(value ?? 1) <= 4,
  temperature: (value) => value === null || (typeof value === 'number' && value >= 0 && value <= 2),
  top_p: (value) => value === null || (typeof value === 'number' && value >= 0 && value <= 1),
  stop: (value) =>
    value === null ||
    typeof value === 'string' ||
    (Array.isArray(value) && value.every((each) => typeof each === 'string')),
  stream_options: (value) => value === null,
}

/** Members that are the supplier's business: junk in them passes through. */
const THEIR_FIELDS = [
  'tools',
  'tool_choice',
  'functions',
  'function_call',
  'response_format',
  'logit_bias',
  'logprobs',
  'top_logprobs',
  'seed',
  'user',
  'metadata',
  'parallel_tool_calls',
  'reasoning_effort',
  'service_tier',
  'store',
  'prediction',
  'modalities',
  'unheard_of',
] as const

const absurdNumber = fc.constantFrom(
  -1,
  0,
  -0.5,
  1.5,
  1e9,
  1e21,
  1e308,
  -1e308,
  Number.MAX_SAFE_INTEGER,
  2 ** 53,
  5e-324,
)
const junk: fc.Arbitrary<Json> = fc.oneof(
  absurdNumber,
  fc.constantFrom('yes', 'true', '', '\u0000', '1', '-1', 'null'),
  fc.boolean(),
  fc.constant(null),
  fc.jsonValue({ maxDepth: 3 }),
  fc.array(fc.string({ unit: 'binary', maxLength: 8 }), { maxLength: 5 }),
)

function fieldCases(target: HostileTarget): fc.Arbitrary<HostileCase> {
  const ours = fc.tuple(fc.constantFrom(...Object.keys(OUR_FIELDS)), junk).map(([name, value]): HostileCase => {
    const isRight = OUR_FIELDS[name]?.(value) ?? false
    return {
      label: `${name} = ${JSON.stringify(value)}`,
      bytes: http(target.key, chat(target, { [name]: value })),
      must: isRight ? 'survive' : 'refuse',
    }
  })
  const theirs = fc.tuple(fc.constantFrom(...THEIR_FIELDS), junk).map(([name, value]): HostileCase => {
    return {
      label: `${name} = ${JSON.stringify(value)}`,
      bytes: http(target.key, chat(target, { [name]: value })),
      must: 'survive',
    }
  })
  return fc.oneof({ weight: 3, arbitrary: ours }, { weight: 2, arbitrary: theirs })
}

function messageCases(target: HostileTarget): fc.Arbitrary<HostileCase> {
  const role = fc.oneof(junk, fc.constantFrom('user', 'root', 'tool'))
  return fc
    .array(fc.record({ role, content: junk, name: junk, tool_calls: junk, tool_call_id: junk }), {
      minLength: 1,
      maxLength: 4,
    })
    .map((messages) => ({
      label: `messages = ${JSON.stringify(messages)}`,
      bytes: http(target.key, chat(target, { messages })),
      must: 'survive',
    }))
}

function modelCases(target: HostileTarget): fc.Arbitrary<HostileCase> {
  const name = fc.oneof(
    fc.constantFrom(
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      '',
      ' ',
      '.',
      '..',
      '../m',
      'm/',
      '/m',
      'm\u0000',
      'M',
      'ｍ',
      "m' or 1=1--",
      '%00',
      '${jndi:x}',
    ),
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.integer({ min: 257, max: 200_000 }).map((length) => 'x'.repeat(length)),
  )
  return name
    .filter((text) => text !== target.model)
    .map((model) => ({
      label: `model ${JSON.stringify(model.slice(0, 60))}`,
      bytes: http(target.key, chat(target, { model })),
      must: 'refuse',
    }))
}

function parses(bytes: Buffer): boolean {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
    return true
  } catch {
    return false
  }
}

function malformedCases(target: HostileTarget): fc.Arbitrary<HostileCase> {
  const good = Buffer.from(chat(target, { temperature: 1, metadata: { a: ['ä', 1, true] } }))
  const broken = fc.oneof(
    fc.integer({ min: 0, max: good.length - 1 }).map((end) => good.subarray(0, end)),
    fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc
      .tuple(fc.nat(good.length - 1), fc.constantFrom(0x00, 0x80, 0xc0, 0xff, 0xed, 0x22, 0x5c, 0x7d))
      .map(([at, byte]) => {
        const copy = Buffer.from(good)
        copy[at] = byte
        return copy
      }),
    fc
      .constantFrom(
        '',
        'null',
        '[]',
        '"m"',
        '1',
        'NaN',
        '{}{}',
        "{'model':'m'}",
        '{"model":"m",}',
        '{"model":"m" "messages":[]}',
        '\uFEFF{}',
        '{"a":\u0001}',
        '{"model":"\\ud800"',
      )
      .map((text) => Buffer.from(text)),
  )
  return broken
    .filter((bytes) => !parses(bytes) || !bytes.toString('latin1').startsWith('{'))
    .map((bytes) => ({
      label: `body ${JSON.stringify(bytes.toString('latin1').slice(0, 80))}`,
      bytes: http(target.key, bytes),
      must: 'refuse',
    }))
}

function shapeCases(target: HostileTarget): fc.Arbitrary<HostileCase> {
  const raw = (label: string, must: HostileCase['must'], body: string): HostileCase => ({
    label,
    must,
    bytes: http(target.key, body),
  })
  const base = chat(target, {})
  const deep = fc.tuple(fc.integer({ min: 50, max: 200_000 }), fc.constantFrom('[]', '{}')).map(([depth, kind]) => {
    const open = kind === '[]' ? '[' : '{"a":'
    const nested = `${open.repeat(depth)}1${(kind === '[]' ? ']' : '}').repeat(depth)}`
    return raw(`nested ${kind} ${depth} deep`, 'survive', `${base.slice(0, -1)},"metadata":${nested}}`)
  })
  const twice = fc.constantFrom('model', 'messages', 'stream', 'max_tokens', 'n').map((name) => {
    const value =
      name === 'messages'
        ? JSON.stringify(MESSAGES)
        : name === 'model'
          ? `"${target.model}"`
          : name === 'stream'
            ? 'false'
            : '2'
    return raw(
      `${name} twice`,
      'refuse',
      `${base.slice(0, -1)},"${name}":${value},"\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}":${value}}`,
    )
  })
  const pollution = fc
    .constantFrom('__proto__', 'constructor', 'prototype', 'toJSON', '__defineGetter__')
    .map((name) =>
      raw(
        `member ${name}`,
        'survive',
        `${base.slice(0, -1)},"${name}":{"isAdmin":true,"prototype":{"stream":true},"model":"other"}}`,
      ),
    )
  const long = fc
    .integer({ min: 10_000, max: BIG_BODY - 1000 })
    .map((length) =>
      raw(
        `prompt of ${length}`,
        'survive',
        chat(target, { messages: [{ role: 'user', content: '词'.repeat(length / 3) }] }),
      ),
    )
  const many = fc
    .integer({ min: 100, max: 15_000 })
    .map((count) =>
      raw(`${count} messages`, 'survive', chat(target, { messages: Array.from({ length: count }, () => MESSAGES[0]) })),
    )
  return fc.oneof(deep, twice, pollution, long, many)
}

function leavingCases(target: HostileTarget): fc.Arbitrary<HostileCase> {
  return fc
    .tuple(fc.boolean(), fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean())
    .map(([stream, share, all]) => {
      const bytes = http(target.key, chat(target, { model: target.slowModel, stream, user: 'x'.repeat(2000) }))
      const hangUpAfter = all ? bytes.length : Math.floor(bytes.length * share)
      return { label: `hang up after ${hangUpAfter} of ${bytes.length}`, bytes, must: 'survive', hangUpAfter }
    })
}

/** At least `count` hostile requests from one seed, of every kind in turn. */
export function hostileCases(target: HostileTarget, seed: number, count: number): readonly HostileCase[] {
  const kinds = [
    fieldCases,
    messageCases,
    modelCases,
    malformedCases,
    shapeCases,
    leavingCases,
    authCases,
    routeCases,
    framingCases,
  ]
  const each = Math.ceil(count / kinds.length)
  return kinds.flatMap((kind, i) => fc.sample(kind(target), { seed: seed + i, numRuns: each }))
}

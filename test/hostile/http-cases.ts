import * as fc from 'fast-check'
import type { HostileCase, HostileTarget } from './cases.ts'

/** The limit on bodies that the factory under test is started with. */
export const BIG_BODY = 1_048_576

const CHAT = '/v1/chat/completions'

/** A correct request head around any body. */
export function http(key: string, body: string | Buffer, headers = ''): Buffer {
  const bytes = Buffer.from(body)
  const head = `POST ${CHAT} HTTP/1.1\r\nHost: factory\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\n${headers}Content-Length: ${bytes.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), bytes])
}

function good(target: HostileTarget): string {
  return JSON.stringify({ model: target.model, messages: [{ role: 'user', content: 'hello' }] })
}

export function authCases(target: HostileTarget): fc.Arbitrary<HostileCase> {
  const wrong = fc.oneof(
    fc.constantFrom(
      '',
      'Bearer',
      'Bearer ',
      `Basic ${target.key}`,
      `Token ${target.key}`,
      target.key,
      `Bearer ${target.key}x`,
      `Bearer x${target.key}`,
      `Bearer ${target.key.slice(0, -1)}`,
      `Bearer ${target.key.toUpperCase()}`,
      `Bearer ${target.key} ${target.key}`,
      'Bearer null',
      'Bearer undefined',
      `Bearer "${target.key}"`,
      'Bearer ../../etc/passwd',
      "Bearer ' or ''='",
    ),
    fc
      .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 80 })
      .map((text) => `Bearer ${text.replaceAll(/[^!-~]/g, 'x')}`),
    fc.integer({ min: 1000, max: 15_000 }).map((length) => `Bearer ${'k'.repeat(length)}`),
    fc
      .uint8Array({ minLength: 1, maxLength: 40 })
      .map((bytes) => `Bearer ${Buffer.from(bytes.map((byte) => byte | 0x80)).toString('latin1')}`),
  )
  const one = wrong.map((value) => ({
    label: `authorization ${value.slice(0, 60)}`,
    value,
    lines: [`Authorization: ${value}`],
  }))
  const odd = fc.constantFrom(
    { label: 'no authorization', value: '', lines: [] },
    { label: 'an empty x-api-key', value: '', lines: ['x-api-key: '] },
    { label: 'a wrong x-api-key', value: '', lines: ['x-api-key: sk-wrong'] },
    { label: 'a cookie', value: '', lines: [`Cookie: key=${target.key}`] },
    { label: 'the key in a header of its own', value: '', lines: [`api-key: ${target.key}`] },
  )
  return fc.oneof({ weight: 4, arbitrary: one }, { weight: 1, arbitrary: odd }).map(({ label, lines }) => {
    const body = good(target)
    const head = [
      `POST ${CHAT} HTTP/1.1`,
      'Host: factory',
      'Content-Type: application/json',
      ...lines,
      `Content-Length: ${body.length}`,
    ].join('\r\n')
    return { label, bytes: Buffer.from(`${head}\r\n\r\n${body}`, 'latin1'), must: 'refuse' }
  })
}

export function routeCases(target: HostileTarget): fc.Arbitrary<HostileCase> {
  const method = fc.constantFrom(
    'GET',
    'HEAD',
    'PUT',
    'DELETE',
    'PATCH',
    'TRACE',
    'CONNECT',
    'PROPFIND',
    'get',
    'POST',
    'FOO',
    'OPTIONS',
  )
  const path = fc.oneof(
    fc.constantFrom(
      '/',
      '//',
      '/v1',
      '/v1/',
      '/v2/chat/completions',
      `${CHAT}/`,
      `${CHAT}?stream=true`,
      `/${CHAT}`,
      '/v1/chat/../chat/completions',
      '/v1/chat/%2e%2e/x',
      '/v1/models/%',
      '/v1/models/%zz',
      '/v1/models/%00',
      '/v1/models/%c0%ae',
      '/v1/models/../../etc/passwd',
      '/v1/models/__proto__',
      '/internal/v1/snapshot',
      '/api/v1/tenants',
      '/metrics/x',
      'http://other.example/v1/models',
      '*',
      '/v1/embeddings',
      '/.env',
      `/v1/models/${'m'.repeat(5000)}`,
      '/v1/models?x=<script>',
    ),
    fc.string({ unit: 'grapheme-ascii', maxLength: 60 }).map((text) => `/${text.replaceAll(/[^!-~]/g, '%20')}`),
  )
  return fc.tuple(method, path).map(([verb, target_]) => ({
    label: `${verb} ${target_.slice(0, 60)}`,
    bytes: Buffer.from(
      `${verb} ${target_} HTTP/1.1\r\nHost: factory\r\nAuthorization: Bearer ${target.key}\r\nContent-Length: 2\r\n\r\n{}`,
    ),
    must: 'survive',
    hasBody: verb !== 'HEAD',
  }))
}

/** Requests that break HTTP itself. All but the last kinds must be refused: serving one of them is how smuggling begins. */
export function framingCases(target: HostileTarget): fc.Arbitrary<HostileCase> {
  const body = good(target)
  const start = `POST ${CHAT} HTTP/1.1\r\nHost: factory\r\n`
  const auth = `Authorization: Bearer ${target.key}\r\nContent-Type: application/json\r\n`
  const sized = `Content-Length: ${body.length}\r\n`
  const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
  const refused: readonly (readonly [string, string])[] = [
    ['two lengths', `${start}${auth}${sized}Content-Length: 1\r\n\r\n${body}`],
    ['length and chunks', `${start}${auth}${sized}Transfer-Encoding: chunked\r\n\r\n${chunk}`],
    ['negative length', `${start}${auth}Content-Length: -1\r\n\r\n${body}`],
    ['length in hex', `${start}${auth}Content-Length: 0x10\r\n\r\n${body}`],
    ['absurd length', `${start}${auth}Content-Length: 99999999999999999999\r\n\r\n${body}`],
    ['oversized length', `${start}${auth}Content-Length: ${BIG_BODY + 1}\r\n\r\n${body}`],
    ['unknown coding', `${start}${auth}Transfer-Encoding: gzip, chunked\r\n\r\n${chunk}`],
    ['twice chunked', `${start}${auth}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n${chunk}`],
    ['bad chunk size', `${start}${auth}Transfer-Encoding: chunked\r\n\r\nzz\r\n${body}\r\n0\r\n\r\n`],
    ['huge chunk size', `${start}${auth}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n${body}`],
    ['chunk without its end', `${start}${auth}Transfer-Encoding: chunked\r\n\r\n2\r\n{}xx0\r\n\r\n`],
    ['folded header', `${start}${auth}X-A: b\r\n c\r\n${sized}\r\n${body}`],
    ['space before colon', `${start}${auth}X-A : b\r\n${sized}\r\n${body}`],
    ['null in a header', `${start}${auth}X-A: a\0b\r\n${sized}\r\n${body}`],
    ['bare newline', `${start}${auth}X-A: a\nX-B: b\r\n${sized}\r\n${body}`],
    ['bare return', `${start}${auth}X-A: a\rX-B: b\r\n${sized}\r\n${body}`],
    ['no host', `POST ${CHAT} HTTP/1.1\r\n${auth}${sized}\r\n${body}`],
    ['two hosts', `${start}Host: other\r\n${auth}${sized}\r\n${body}`],
    ['HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['HTTP/3.7', `POST ${CHAT} HTTP/3.7\r\nHost: factory\r\n${auth}${sized}\r\n${body}`],
    ['no version', `GET ${CHAT}\r\n\r\n`],
    ['gzip body', `${start}${auth}Content-Encoding: gzip\r\n${sized}\r\n${body}`],
    ['a TLS greeting', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
  ]
  const fixed = fc
    .constantFrom(...refused)
    .map(([label, text]): HostileCase => ({ label, bytes: Buffer.from(text, 'latin1'), must: 'refuse' }))
  const flood = fc.integer({ min: 300, max: 3000 }).map((count): HostileCase => ({
    label: `${count} headers`,
    bytes: http(
      target.key,
      body,
      Array.from({ length: count }, (_, i) => `x-flood-${i}: ${'v'.repeat(40)}\r\n`).join(''),
    ),
    must: 'refuse',
  }))
  const longHeader = fc.integer({ min: 70_000, max: 300_000 }).map((length): HostileCase => ({
    label: `a header of ${length}`,
    bytes: http(target.key, body, `x-long: ${'v'.repeat(length)}\r\n`),
    must: 'refuse',
  }))
  const oversized = fc.integer({ min: 1, max: 100_000 }).map((more): HostileCase => ({
    label: `a body of ${BIG_BODY + more}`,
    bytes: http(target.key, Buffer.alloc(BIG_BODY + more, 0x20)),
    must: 'refuse',
  }))
  const contentType = fc
    .constantFrom('text/plain', 'multipart/form-data', '', 'application/xml; charset=utf-7', 'a'.repeat(3000))
    .map((type): HostileCase => ({
      label: `content type ${type.slice(0, 40)}`,
      must: 'survive',
      bytes: Buffer.from(`${start}Authorization: Bearer ${target.key}\r\nContent-Type: ${type}\r\n${sized}\r\n${body}`),
    }))
  const pipelined = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes): HostileCase => ({
    label: 'garbage pipelined behind a good request',
    bytes: Buffer.concat([http(target.key, body), Buffer.from(bytes)]),
    must: 'survive',
  }))
  const noise = fc.uint8Array({ minLength: 20, maxLength: 300 }).map((bytes): HostileCase => ({
    label: 'noise',
    bytes: Buffer.concat([Buffer.from([0x80]), Buffer.from(bytes), Buffer.from('\r\n\r\n')]),
    must: 'survive',
  }))
  return fc.oneof({ weight: 6, arbitrary: fixed }, flood, longHeader, oversized, contentType, pipelined, noise)
}

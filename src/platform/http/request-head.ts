import { IS_TARGET } from './characters.ts'
import { lists, parseFields, parseLength } from './fields.ts'
import type { HeaderView } from './types.ts'

/** Longest request target in bytes; our API needs a few dozen. */
export const MAX_TARGET_BYTES = 8192

export interface RequestHead {
  readonly refused: false
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: HeaderView
  /** 0 for HTTP/1.0, 1 for HTTP/1.1. */
  readonly minor: 0 | 1
  readonly keepAlive: boolean
  readonly chunked: boolean
  /** Announced body bytes; 0 when none were announced or the body is chunked. */
  readonly contentLength: number
  readonly expectsContinue: boolean
}

/** What the codec answers by itself, and why. */
export interface Refusal {
  readonly refused: true
  readonly status: number
  readonly reason: string
}

export function refusal(status: number, reason: string): Refusal {
  return { refused: true, status, reason }
}

const METHODS = new Set(['GET', 'POST', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const HOST = /^(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/
const METHOD_TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/

/** Parses a whole request head (latin1, ending in the empty line) and decides its framing, or says why it is refused. */
export function parseRequestHead(text: string): RequestHead | Refusal {
  const lineEnd = text.indexOf('\r\n')
  const methodEnd = text.indexOf(' ')
  const targetEnd = text.indexOf(' ', methodEnd + 1)
  if (methodEnd < 1 || targetEnd < 0 || targetEnd > lineEnd) return refusal(400, 'malformed request line')

  const minor = versionOf(text, targetEnd + 1, lineEnd)
  if (typeof minor !== 'number') return minor
  const method = text.slice(0, methodEnd)
  if (!METHODS.has(method)) {
    return METHOD_TOKEN.test(method) ? refusal(501, 'method not supported') : refusal(400, 'malformed method')
  }
  const targetStart = methodEnd + 1
  if (targetEnd - targetStart > MAX_TARGET_BYTES) return refusal(414, 'request target too long')
  if (text.charCodeAt(targetStart) !== 47) return refusal(400, 'request target must start with a slash')
  let questionMark = -1
  for (let at = targetStart; at < targetEnd; at++) {
    const code = text.charCodeAt(at)
    if (IS_TARGET[code] !== 1) return refusal(400, 'invalid character in the request target')
    if (code === 63 && questionMark < 0) questionMark = at
  }

  const fields = parseFields(text, lineEnd + 2)
  if ('fault' in fields) return refusal(fields.tooMany ? 431 : 400, fields.fault)
  const { host, contentLength, transferEncoding, connection, expect } = fields
  if (host === undefined ? minor === 1 : !HOST.test(host)) return refusal(400, 'missing or invalid host')
  let length = 0
  if (transferEncoding !== undefined) {
    if (contentLength !== undefined) return refusal(400, 'both content-length and transfer-encoding')
    if (minor === 0) return refusal(400, 'transfer-encoding on HTTP/1.0')
    if (transferEncoding !== 'chunked') return refusal(400, 'transfer-encoding other than chunked')
  } else if (contentLength !== undefined) {
    length = parseLength(contentLength)
    if (length < 0) return refusal(400, 'invalid content-length')
  }
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') return refusal(417, 'unknown expectation')
  return {
    refused: false,
    method,
    path: text.slice(targetStart, questionMark < 0 ? targetEnd : questionMark),
    query: questionMark < 0 ? '' : text.slice(questionMark + 1, targetEnd),
    headers: fields.headers,
    minor,
    keepAlive: isPersistent(connection, minor),
    chunked: transferEncoding !== undefined,
    contentLength: length,
    expectsContinue: expect !== undefined && minor === 1,
  }
}

/**
 * Whether more requests may follow. Not after an offer to upgrade: we ignore the offer, but whoever forwarded it may
 * believe that what follows is another protocol.
 */
function isPersistent(connection: string | undefined, minor: 0 | 1): boolean {
  if (connection === undefined) return minor === 1
  if (lists(connection, 'close') || lists(connection, 'upgrade')) return false
  return minor === 1 || connection === 'keep-alive'
}

function versionOf(text: string, from: number, to: number): 0 | 1 | Refusal {
  if (to - from !== 8 || !text.startsWith('HTTP/', from)) return refusal(400, 'malformed request line')
  if (text.startsWith('1.1', from + 5)) return 1
  if (text.startsWith('1.0', from + 5)) return 0
  return /^[0-9]\.[0-9]$/.test(text.slice(from + 5, to))
    ? refusal(505, 'HTTP version not supported')
    : refusal(400, 'malformed request line')
}

import { CR, IS_VALUE, LF } from './characters.ts'
import { lists, parseFields, parseLength } from './fields.ts'
import type { HeaderView } from './types.ts'

export interface ResponseHead {
  readonly status: number
  readonly headers: HeaderView
  readonly keepAlive: boolean
  /** How the body ends: there is none, after `contentLength` bytes, with the last chunk, or with the connection. */
  readonly framing: 'none' | 'length' | 'chunked' | 'close'
  readonly contentLength: number
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5][0-9][0-9])(?: |\r)/

/** Parses a whole response head (latin1, ending in the empty line). Returns the reason as text when it is garbage. */
export function parseResponseHead(text: string, requestMethod: string): ResponseHead | string {
  const line = STATUS_LINE.exec(text)
  if (line === null) return 'malformed status line'
  const minor = line[1] === '1' ? 1 : 0
  const status = Number(line[2])
  let at = 12
  while (IS_VALUE[text.charCodeAt(at)] === 1) at++
  if (text.charCodeAt(at) !== CR || text.charCodeAt(at + 1) !== LF) return 'malformed status line'

  const fields = parseFields(text, at + 2)
  if ('fault' in fields) return fields.fault
  const { contentLength, transferEncoding, connection, headers } = fields
  if (transferEncoding !== undefined) {
    if (contentLength !== undefined) return 'both content-length and transfer-encoding'
    if (minor === 0) return 'transfer-encoding on HTTP/1.0'
    if (transferEncoding.toLowerCase() !== 'chunked') return 'transfer-encoding other than chunked'
  }
  const length = contentLength === undefined ? -1 : parseLength(contentLength)
  if (contentLength !== undefined && length < 0) return 'invalid content-length'
  if (status === 101) return 'unasked upgrade'

  const bodiless = requestMethod === 'HEAD' || status < 200 || status === 204 || status === 304
  const framing = bodiless ? 'none' : transferEncoding !== undefined ? 'chunked' : length >= 0 ? 'length' : 'close'
  const persistent =
    minor === 1 ? !lists(connection, 'close') : lists(connection, 'keep-alive') && !lists(connection, 'close')
  return {
    status,
    headers,
    keepAlive: persistent && framing !== 'close',
    framing,
    contentLength: bodiless || length < 0 ? 0 : length,
  }
}

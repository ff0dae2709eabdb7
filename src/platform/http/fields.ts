import { COLON, CR, IS_TOKEN, IS_VALUE, LF, SPACE, TAB } from './characters.ts'
import { createHeaderView, isName } from './header-view.ts'
import type { HeaderView } from './types.ts'

/** More header fields than this are refused: each costs parsing time, and no honest client comes near. */
export const MAX_FIELDS = 100

/** A parsed block of header fields, with the few that decide how the message is framed taken out. */
export interface Fields {
  readonly headers: HeaderView
  readonly host: string | undefined
  readonly contentLength: string | undefined
  readonly transferEncoding: string | undefined
  readonly connection: string | undefined
  readonly expect: string | undefined
}

/** Why a block of fields was refused. `tooMany` asks for 431 instead of 400. */
export interface FieldFault {
  readonly fault: string
  readonly tooMany: boolean
}

const INVALID_NAME: FieldFault = { fault: 'invalid header name', tooMany: false }
const INVALID_VALUE: FieldFault = { fault: 'invalid header value', tooMany: false }
const REPEATED: FieldFault = { fault: 'a header that may appear once only was repeated', tooMany: false }
const TOO_MANY: FieldFault = { fault: 'too many header fields', tooMany: true }
const INVALID_END: FieldFault = { fault: 'malformed end of head', tooMany: false }

// Repeating one of these makes two readers disagree about framing or about who is asking.
const SINGLE = [
  'host',
  'content-length',
  'transfer-encoding',
  'expect',
  'authorization',
  'proxy-authorization',
  'content-type',
  'x-api-key',
  'api-key',
  'idempotency-key',
]

/** What is looked at has names of different lengths, so that a length leaves one candidate. `bit` is 0 for what may be repeated. */
const SPECIAL: Array<{ readonly name: string; readonly bit: number } | undefined> = Array.from({ length: 32 })
for (const [index, name] of [...SINGLE, 'connection'].entries()) {
  if (SPECIAL[name.length]) throw new Error(`two header names of the length of ${name}`)
  SPECIAL[name.length] = { name, bit: SINGLE.includes(name) ? 1 << index : 0 }
}

/** Where fields are noted down while they are parsed; a view keeps a copy of the right length. */
const scratch: number[] = Array.from({ length: MAX_FIELDS * 4 }, () => 0)

/**
 * Parses fields from `from` to the empty line that must be the very end of `text` (latin1). Strict: no folding, no white
 * space around names, every line ends in CRLF, no control characters.
 */
export function parseFields(text: string, from: number): Fields | FieldFault {
  let marked = 0
  const length = text.length
  let host: string | undefined
  let contentLength: string | undefined
  let transferEncoding: string | undefined
  let connection: string | undefined
  let expect: string | undefined
  let seen = 0
  let at = from
  for (;;) {
    let code = text.charCodeAt(at)
    if (code === CR) {
      if (text.charCodeAt(at + 1) !== LF || at + 2 !== length) return INVALID_END
      break
    }
    const nameStart = at
    while (IS_TOKEN[code] === 1) code = text.charCodeAt(++at)
    const nameEnd = at
    if (nameEnd === nameStart || code !== COLON) return INVALID_NAME
    code = text.charCodeAt(++at)
    while (code === SPACE || code === TAB) code = text.charCodeAt(++at)
    const valueStart = at
    while (IS_VALUE[code] === 1) code = text.charCodeAt(++at)
    if (code !== CR || text.charCodeAt(at + 1) !== LF) return INVALID_VALUE
    let valueEnd = at
    while (valueEnd > valueStart && isBlank(text.charCodeAt(valueEnd - 1))) valueEnd--
    at += 2
    if (marked === MAX_FIELDS * 4) return TOO_MANY
    scratch[marked++] = nameStart
    scratch[marked++] = nameEnd
    scratch[marked++] = valueStart
    scratch[marked++] = valueEnd

    const special = nameEnd - nameStart < SPECIAL.length ? SPECIAL[nameEnd - nameStart] : undefined
    if (special === undefined || !isName(text, nameStart, nameEnd, special.name)) continue
    if ((seen & special.bit) !== 0) return REPEATED
    seen |= special.bit
    switch (special.name) {
      case 'host':
        host = text.slice(valueStart, valueEnd)
        break
      case 'content-length':
        contentLength = text.slice(valueStart, valueEnd)
        break
      case 'transfer-encoding':
        transferEncoding = text.slice(valueStart, valueEnd)
        break
      case 'expect':
        expect = text.slice(valueStart, valueEnd)
        break
      case 'connection':
        connection = (connection === undefined ? '' : `${connection},`) + text.slice(valueStart, valueEnd).toLowerCase()
        break
    }
  }
  return {
    headers: createHeaderView(text, scratch.slice(0, marked)),
    host,
    contentLength,
    transferEncoding,
    connection,
    expect,
  }
}

/** Whether a lower-cased comma-separated list names `option`. */
export function lists(list: string | undefined, option: string): boolean {
  if (list === undefined) return false
  if (list === option) return true
  return list.split(',').some((entry) => entry.trim() === option)
}

/** A Content-Length as a number, or -1 for anything but plain decimal digits without leading zeros, at most 15 of them. */
export function parseLength(text: string): number {
  return /^(?:0|[1-9][0-9]{0,14})$/.test(text) ? Number(text) : -1
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB
}

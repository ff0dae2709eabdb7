import { statementUnreadable } from '../problems.ts'

/** What a reader of sheets needs of XML 1.0: elements and text. Declarations of types and entities of one's own are refused. */
export interface XmlReader {
  readonly open: (name: string, attributes: (name: string) => string | undefined, isEmpty: boolean) => void
  readonly close: (name: string) => void
  readonly text: (text: string) => void
}

const MOST_TAG_CHARS = 1 << 16

const broken = (what: string) => statementUnreadable({ flaw: 'not_xlsx', line: null, what })

/** Feeds elements and texts to a reader while the bytes come in; a text may come in several pieces. Stops after each piece of bytes. */
export async function* xmlPieces(bytes: AsyncIterable<Buffer>, reader: XmlReader): AsyncGenerator<void> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const decode = (piece?: Buffer): string => {
    try {
      return piece ? decoder.decode(piece, { stream: true }) : decoder.decode()
    } catch (error) {
      throw statementUnreadable({ flaw: 'encoding', line: null, what: 'not utf-8' }, { cause: error })
    }
  }
  let rest = ''
  for await (const piece of bytes) {
    rest = consume(rest + decode(piece), reader)
    yield
  }
  rest = consume(rest + decode(), reader)
  if (rest.trim() !== '') throw broken('it ends within a tag')
}

/** The same to the end. */
export async function readXml(bytes: AsyncIterable<Buffer>, reader: XmlReader): Promise<void> {
  const pieces = xmlPieces(bytes, reader)
  while ((await pieces.next()).done !== true);
}

/** Returns what does not end yet. */
function consume(text: string, reader: XmlReader): string {
  let at = 0
  while (at < text.length) {
    const tag = text.indexOf('<', at)
    if (tag < 0) {
      // An entity may be cut in two.
      const cut = text.lastIndexOf('&')
      const end = cut >= at && !text.includes(';', cut) ? cut : text.length
      if (text.length - end > 16) throw broken('an entity')
      if (end > at) reader.text(unescape(text.slice(at, end)))
      return text.slice(end)
    }
    if (tag > at) reader.text(unescape(text.slice(at, tag)))
    const isComment = text.startsWith('<!--', tag)
    const end = isComment ? text.indexOf('-->', tag) : text.indexOf('>', tag)
    if (end < 0) {
      if (text.length - tag > MOST_TAG_CHARS) throw broken('a tag is too long')
      return text.slice(tag)
    }
    at = isComment ? end + 3 : end + 1
    if (isComment) continue
    const kind = text[tag + 1]
    // A comment that has only begun looks like this too, but then it had no end either.
    if (kind === '!') throw statementUnreadable({ flaw: 'doctype', line: null, what: '' })
    if (kind === '?') continue
    if (kind === '/') reader.close(local(text.slice(tag + 2, end).trim()))
    else openTag(text.slice(tag + 1, end), reader)
  }
  return ''
}

function openTag(inner: string, reader: XmlReader): void {
  const isEmpty = inner.endsWith('/')
  const body = isEmpty ? inner.slice(0, -1) : inner
  const space = body.search(/\s/)
  const name = local(space < 0 ? body : body.slice(0, space))
  const rest = space < 0 ? '' : body.slice(space)
  const attribute = (wanted: string): string | undefined => {
    const match = new RegExp(`\\s(?:\\w+:)?${wanted}\\s*=\\s*("([^"]*)"|'([^']*)')`).exec(rest)
    return match ? unescape(match[2] ?? match[3] ?? '') : undefined
  }
  reader.open(name, attribute, isEmpty)
  if (isEmpty) reader.close(name)
}

const local = (name: string): string => name.slice(name.indexOf(':') + 1)

const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

function unescape(text: string): string {
  if (!text.includes('&')) return text
  return text.replaceAll(/&([^;]{0,12};?)/g, (_, entity: string) => {
    const name = entity.slice(0, -1)
    const code = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(name)
    const point = code ? (code[1] === undefined ? Number(code[2]) : Number.parseInt(code[1], 16)) : undefined
    const char =
      point === undefined ? NAMED[name] : point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : undefined
    if (char === undefined || !entity.endsWith(';')) throw broken('an entity')
    return char
  })
}

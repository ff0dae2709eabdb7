import { connect, type Socket } from 'node:net'
import { CONTENT_EVENTS, EVENTS_PER_STREAM } from './answers.ts'

/** One finished answer, or why it was none. */
export interface Outcome {
  readonly ok: boolean
  readonly reason: string
  /** `data:` blocks seen; 0 for a non-streaming answer. */
  readonly events: number
}

/** A keep-alive HTTP/1.1 client connection that asks one prepared request at a time and checks every answer. */
export interface Connection {
  ask(request: Buffer, stream: boolean, onEnd: (outcome: Outcome) => void): void
  /** True once the answer under way has shown body bytes. */
  begun(): boolean
  close(): void
}

const CR = 13
const NEWLINE = 10
const DONE = Buffer.from('data: [DONE]')
const EMPTY = Buffer.alloc(0)
const FAULT = (reason: string): Outcome => ({ ok: false, reason, events: 0 })

/** Connects to a contestant on loopback. Failures of the connection end the request that is under way. */
export function openConnection(port: number): Connection {
  let socket: Socket | undefined
  let streaming = false
  let finish: ((outcome: Outcome) => void) | undefined
  let head: Buffer = EMPTY
  let state: 'head' | 'sized' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailer' = 'head'
  let left = 0
  let status = 0
  let bodyBytes = 0
  let events = 0
  let lastByte = 0
  let tail: Buffer = EMPTY
  let sizeLine = ''
  let mustClose = false

  const end = (outcome: Outcome): void => {
    const done = finish
    finish = undefined
    if (mustClose || !outcome.ok) {
      socket?.destroy()
      socket = undefined
    }
    done?.(outcome)
  }

  const complete = (): void => {
    state = 'head'
    if (status !== 200) return end(FAULT(`status ${status}: ${tail.toString('utf8').slice(0, 200)}`))
    if (!streaming) {
      const ending = tail.toString('latin1')
      const right =
        bodyBytes >= 1000 && ending.trimEnd().endsWith('}') && ending.includes(`"completion_tokens":${CONTENT_EVENTS}`)
      return end(right ? { ok: true, reason: '', events: 0 } : FAULT(`wrong body of ${bodyBytes} bytes: ${ending}`))
    }
    if (tail.indexOf(DONE) < 0) return end(FAULT('stream without [DONE]'))
    if (events < EVENTS_PER_STREAM) return end(FAULT(`stream of ${events} events instead of ${EVENTS_PER_STREAM}`))
    end({ ok: true, reason: '', events })
  }

  /** Looks at body bytes as they come: counts blank lines (ends of events), keeps the last bytes. */
  const observe = (part: Buffer): void => {
    bodyBytes += part.length
    if (streaming) {
      if (lastByte === NEWLINE && part[0] === NEWLINE) events++
      for (let at = part.indexOf('\n\n'); at >= 0; at = part.indexOf('\n\n', at + 2)) events++
      lastByte = part[part.length - 1] ?? 0
    }
    tail =
      part.length >= 256 ? Buffer.from(part.subarray(part.length - 256)) : Buffer.concat([tail, part]).subarray(-256)
  }

  const readHead = (data: Buffer): Buffer | undefined => {
    const all = head.length === 0 ? data : Buffer.concat([head, data])
    const headEnd = all.indexOf('\r\n\r\n')
    if (headEnd < 0) {
      head = all
      return undefined
    }
    head = EMPTY
    const text = all.toString('latin1', 0, headEnd)
    status = Number(text.slice(9, 12))
    mustClose = /\r\nconnection: *close/i.test(text)
    const sized = /\r\ncontent-length: *(\d+)/i.exec(text)
    state = sized === null ? 'chunk-size' : 'sized'
    left = Number(sized?.[1] ?? 0)
    bodyBytes = events = lastByte = 0
    tail = EMPTY
    sizeLine = ''
    if (sized === null && !/\r\ntransfer-encoding: *chunked/i.test(text)) {
      end(FAULT(`no framing: ${text}`))
      return undefined
    }
    if (state === 'sized' && left === 0) complete()
    return all.subarray(headEnd + 4)
  }

  const read = (all: Buffer): void => {
    let data: Buffer | undefined = all
    while (data !== undefined && data.length > 0) {
      if (finish === undefined) return void socket?.destroy()
      if (state === 'head') {
        data = readHead(data)
      } else if (state === 'sized' || state === 'chunk') {
        const part: Buffer = data.length <= left ? data : data.subarray(0, left)
        observe(part)
        left -= part.length
        data = data.subarray(part.length)
        if (left === 0 && state === 'sized') complete()
        else if (left === 0) state = 'chunk-end'
      } else if (state === 'chunk-end') {
        if (data[0] !== CR && data[0] !== NEWLINE) return end(FAULT('chunk without its end'))
        if (data[0] === NEWLINE) state = 'chunk-size'
        data = data.subarray(1)
      } else {
        const lineEnd: number = data.indexOf(NEWLINE)
        sizeLine += data.toString('latin1', 0, lineEnd < 0 ? data.length : lineEnd)
        data = lineEnd < 0 ? undefined : data.subarray(lineEnd + 1)
        if (lineEnd < 0) return
        const line = sizeLine.trim()
        sizeLine = ''
        if (state === 'trailer') {
          if (line === '') complete()
          continue
        }
        if (!/^[0-9a-f]+/i.test(line)) return end(FAULT(`bad chunk size "${line}"`))
        left = Number.parseInt(line, 16)
        state = left === 0 ? 'trailer' : 'chunk'
      }
    }
  }

  const dial = (): Socket => {
    const made = connect({ port, host: '127.0.0.1', noDelay: true })
    made.on('data', read)
    made.on('error', (error) => end(FAULT(`connection: ${error.message}`)))
    made.on('close', () => {
      if (socket === made) socket = undefined
      if (finish !== undefined && socket === undefined) end(FAULT('connection closed mid-answer'))
    })
    state = 'head'
    head = EMPTY
    return made
  }

  return {
    ask(request, stream, onEnd) {
      streaming = stream
      finish = onEnd
      socket ??= dial()
      socket.write(request)
    },
    begun: () => finish !== undefined && status === 200 && bodyBytes > 0,
    close() {
      finish = undefined
      socket?.destroy()
      socket = undefined
    },
  }
}

import * as fs from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'

/**
 * What a proxy on node:net costs at the very least: it checks nothing, knows one load generator's habits, and relays what it reads
 * with as few calls as the public API allows. With a file, a whole answer leaves only after 1.3 kB are durable there, as a usage
 * record has to be. Everything that a gateway does beyond this costs more.
 */
const [, , supplierPort = '0', journalFile] = process.argv
const RECORD_BYTES = 1300
const JOURNAL_BYTES = 8 * 1024 * 1024
const LAST_CHUNK = Buffer.from('0\r\n\r\n')

// All suppliers' sockets read into one buffer, which is used up within the callback.
const readBuffer = Buffer.allocUnsafeSlow(65_536)
const idle: Supplier[] = []
const durably = journalFile === undefined ? undefined : openGroupCommit(journalFile)

interface Supplier {
  readonly socket: Socket
  client: Socket | undefined
  /** Bytes of a whole answer still to come; -1 for a stream, 0 before the head. */
  left: number
}

function dial(): Supplier {
  const socket = connect({
    port: Number(supplierPort),
    host: '127.0.0.1',
    noDelay: true,
    onread: {
      buffer: readBuffer,
      callback: (length) => {
        relay(supplier, readBuffer.subarray(0, length))
        return true
      },
    },
  })
  const supplier: Supplier = { socket, client: undefined, left: 0 }
  socket.on('error', () => supplier.client?.destroy())
  return supplier
}

function relay(supplier: Supplier, piece: Buffer): void {
  const { client } = supplier
  if (client === undefined) return
  if (supplier.left === 0) {
    const headEnd = piece.indexOf('\r\n\r\n', 0, 'latin1') + 4
    const length = /\r\ncontent-length: (\d+)/i.exec(piece.toString('latin1', 0, headEnd))?.[1]
    supplier.left = length === undefined ? -1 : Number(length) + headEnd
  }
  const isStream = supplier.left < 0
  if (!isStream) supplier.left -= piece.length
  const isLast = isStream ? piece.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK) : supplier.left === 0
  const copy = Buffer.from(piece)
  if (isLast) {
    supplier.client = undefined
    supplier.left = 0
    idle.push(supplier)
  }
  if (durably === undefined || !isLast) client.write(copy)
  else durably(() => client.write(copy))
}

/** What is asked for while a write is under way goes out together in the next one. */
function openGroupCommit(file: string): (done: () => void) => void {
  fs.writeFileSync(file, Buffer.alloc(JOURNAL_BYTES))
  const fd = fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_DSYNC)
  const bytes = Buffer.alloc(256 * RECORD_BYTES, 'r')
  const waiting: (() => void)[] = []
  let writing = false
  let position = 0
  const flush = (): void => {
    const batch = waiting.splice(0, 256)
    writing = batch.length > 0
    if (!writing) return
    const length = batch.length * RECORD_BYTES
    if (position + length > JOURNAL_BYTES) position = 0
    fs.write(fd, bytes, 0, length, position, (error) => {
      if (error) throw error
      for (const done of batch) done()
      flush()
    })
    position += length
  }
  return (done) => {
    waiting.push(done)
    if (writing) return
    writing = true
    setImmediate(flush)
  }
}

const server = createServer({ noDelay: true }, (client) => {
  client.on('error', () => client.destroy())
  // The load generator's request arrives in one read, and it asks nothing before it is answered.
  client.on('data', (request: Buffer) => {
    const supplier = idle.pop() ?? dial()
    supplier.client = client
    supplier.socket.write(request)
  })
})
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  const address = server.address()
  if (address !== null && typeof address === 'object') process.send?.({ port: address.port })
})
process.on('disconnect', () => process.exit(0))

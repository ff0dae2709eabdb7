import { StreamGarbage } from './observe-stream.ts'
import { eventData, readEvent } from './stream-event.ts'
import type { ChunkEvent } from './stream-event.ts'

const MAX_EVENT_BYTES = 4_194_304

/** Reads a supplier's stream event by event, where it cannot be passed on as it comes. */
export interface StreamReader {
  /** The chunks that are whole by now. Throws `StreamGarbage` when the supplier stops speaking the protocol. */
  push(bytes: Buffer): readonly ChunkEvent[]
  /** `[DONE]` was read. */
  readonly done: boolean
}

export function readStream(): StreamReader {
  let rest = ''
  let done = false
  return {
    push(bytes) {
      const text = rest + bytes.toString('latin1')
      // A line may end in CR, LF or both; the LF of a CR at the very end may be on its way.
      const heldBack = text.endsWith('\r') ? '\r' : ''
      const normal = (heldBack ? text.slice(0, -1) : text).replaceAll('\r\n', '\n').replaceAll('\r', '\n')
      const blocks = normal.split('\n\n')
      rest = (blocks.pop() ?? '') + heldBack
      if (rest.length > MAX_EVENT_BYTES) throw new StreamGarbage('an event never ends')
      const events: ChunkEvent[] = []
      for (const block of blocks) {
        const data = eventData(block)
        if (data === undefined) continue
        if (data === '[DONE]') {
          done = true
          break
        }
        const event = readEvent(data)
        if (!event) throw new StreamGarbage('an event is not a chat completion chunk')
        events.push(event)
      }
      return events
    },
    get done() {
      return done
    },
  }
}

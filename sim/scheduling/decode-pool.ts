import type { Agenda } from './agenda.ts'

/** A stream that is being written; `owner` is whose it is. */
export interface Stream<T> {
  readonly owner: T
  /** Of the pool's tokens: when this many have been written to every stream, this one is whole. */
  readonly wholeAt: number
  isGone: boolean
}

/**
 * Continuous batching: all streams get a token each `T(n) = α + δ·n` milliseconds. The pool counts tokens per stream, so that a
 * stream costs an event when it is whole and none per token; whenever one joins or leaves, the pace changes for all of them.
 */
export interface DecodePool<T> {
  readonly streams: number
  join(owner: T, tokens: number): Stream<T>
  leave(stream: Stream<T>): void
  /** How many tokens a stream lacks. */
  left(stream: Stream<T>): number
  /** Times as slow as usual, from now on. */
  slow(factor: number): void
}

export function createDecodePool<T>(
  agenda: Agenda,
  pace: { readonly alphaMs: number; readonly deltaMs: number },
  whole: (owner: T) => void,
): DecodePool<T> {
  const heap: Stream<T>[] = []
  let streams = 0
  let written = 0
  let sinceMs = 0
  let factor = 1
  let plan = 0

  const stepMs = () => factor * (pace.alphaMs + pace.deltaMs * streams)
  const catchUp = (): void => {
    if (streams > 0) written += (agenda.nowMs - sinceMs) / stepMs()
    sinceMs = agenda.nowMs
  }
  const next = (): Stream<T> | undefined => {
    while (heap[0]?.isGone) pop(heap)
    return heap[0]
  }
  const replan = (): void => {
    plan++
    const first = next()
    if (first) agenda.at(agenda.nowMs + Math.max(0, first.wholeAt - written) * stepMs(), finish, plan)
  }
  const finish = (planned: number): void => {
    // Somebody has joined or left since it was planned.
    if (planned !== plan) return
    catchUp()
    const first = next()
    if (!first) return
    written = Math.max(written, first.wholeAt)
    pop(heap)
    first.isGone = true
    streams--
    replan()
    whole(first.owner)
  }

  return {
    get streams() {
      return streams
    },
    join(owner, tokens) {
      catchUp()
      const stream = { owner, wholeAt: written + tokens, isGone: false }
      push(heap, stream)
      streams++
      replan()
      return stream
    },
    leave(stream) {
      if (stream.isGone) return
      catchUp()
      stream.isGone = true
      streams--
      replan()
    },
    left(stream) {
      catchUp()
      return Math.max(0, Math.ceil(stream.wholeAt - written))
    },
    slow(next) {
      catchUp()
      factor = next
      replan()
    },
  }
}

function push<T>(heap: Stream<T>[], stream: Stream<T>): void {
  let at = heap.length
  heap.push(stream)
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (heap[parent]!.wholeAt <= stream.wholeAt) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = stream
}

function pop<T>(heap: Stream<T>[]): void {
  const last = heap.pop()
  if (!last || heap.length === 0) return
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && heap[child + 1]!.wholeAt < heap[child]!.wholeAt) child++
    if (heap[child]!.wholeAt >= last.wholeAt) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = last
}

import { Problem, toProblemJson } from '#kernel'

/** How often somebody who waits is told how far it is. */
const TELL_EVERY_MS = 200

export const LINES = 'application/x-ndjson'

/**
 * An answer in lines: `{ progress }` now and then and at the beginning of each stage, and last `{ reply }`, or `{ problem }` for a refusal that came when the answer had
 * begun. Any other failure breaks it off, so that nobody takes what came before for the whole.
 */
export function linesOf<Progress extends { readonly done?: number; readonly stage?: string }>(
  work: (onProgress: (progress: Progress) => void) => Promise<object>,
): ReadableStream {
  const encoder = new TextEncoder()
  let isGone = false
  let toldMs = 0
  let stage: string | undefined
  return new ReadableStream({
    async start(controller) {
      const write = (line: object): void => {
        if (!isGone) controller.enqueue(encoder.encode(`${JSON.stringify(line)}\n`))
      }
      try {
        const reply = await work((progress) => {
          const nowMs = performance.now()
          const isNew = progress.done === 0 || progress.stage !== stage
          if (!isNew && nowMs - toldMs < TELL_EVERY_MS) return
          toldMs = nowMs
          stage = progress.stage
          write({ progress })
        })
        write({ reply })
        if (!isGone) controller.close()
      } catch (error) {
        if (error instanceof Problem) {
          write({ problem: toProblemJson(error, '') })
          if (!isGone) controller.close()
        } else if (!isGone) controller.error(error)
      }
    },
    cancel() {
      isGone = true
    },
  })
}

/** A request that is to be sent. */
export interface Arrival {
  /** Milliseconds after the start. */
  readonly atMs: number
  readonly inputTokens: number
  readonly outputTokens: number
}

/** Arrivals of a Poisson process: gaps are exponential. `next` gives numbers in [0, 1). */
export function poisson(
  {
    seconds,
    perMinute,
    inputTokens,
    outputTokens,
  }: { seconds: number; perMinute: number; inputTokens: number; outputTokens: number },
  next: () => number,
): Arrival[] {
  const arrivals: Arrival[] = []
  const meanMs = 60_000 / perMinute
  for (let atMs = -Math.log1p(-next()) * meanMs; atMs < seconds * 1000; atMs += -Math.log1p(-next()) * meanMs)
    arrivals.push({ atMs, inputTokens, outputTokens })
  return arrivals
}

/** The requests per minute that ask for this many units of a capability at once, by whichever of its two rates is reached first. */
export function fullRate(
  unit: { readonly inputTokensPerMinute: number; readonly outputTokensPerMinute: number },
  units: number,
  { inputTokens, outputTokens }: { readonly inputTokens: number; readonly outputTokens: number },
): number {
  return units * Math.min(unit.inputTokensPerMinute / inputTokens, unit.outputTokensPerMinute / outputTokens)
}

export const TRACE_COLUMNS = 'offset_ms,input_tokens,output_tokens'
const MOST_ARRIVALS = 200_000

/** Reads a trace, or says which line is wrong. Its lines may come in any order. */
export function readTrace(text: string): Arrival[] | { readonly line: number } {
  const [head, ...lines] = text.trim().split(/\r?\n/)
  if (head?.trim() !== TRACE_COLUMNS || lines.length === 0) return { line: 1 }
  if (lines.length > MOST_ARRIVALS) return { line: MOST_ARRIVALS + 2 }
  const arrivals: Arrival[] = []
  for (const [at, line] of lines.entries()) {
    const match = /^(\d{1,9}),(\d{1,7}),(\d{1,6})$/.exec(line.trim())
    if (!match) return { line: at + 2 }
    const [atMs = 0, inputTokens = 0, outputTokens = 0] = match.slice(1).map(Number)
    if (inputTokens < 1 || outputTokens < 1) return { line: at + 2 }
    arrivals.push({ atMs, inputTokens, outputTokens })
  }
  return arrivals.toSorted((a, b) => a.atMs - b.atMs)
}

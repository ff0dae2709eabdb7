import type { Factory } from '../factory.ts'

/** One request as its client saw it. */
export interface Seen {
  readonly tenant: string
  readonly id: string
  /** The whole answer arrived: the client has what it pays for. */
  readonly isAcknowledged: boolean
  /** What the answer said was used, where it arrived and said so. */
  readonly usage: { readonly prompt: number; readonly completion: number } | undefined
}

/** What a group of clients saw; kept by the clients, outside of everything that is killed. */
export interface ClientLog {
  readonly seen: Seen[]
  /** Answers turned away for want of money, by tenant. */
  readonly turnedAway: Map<string, number>
  /** Statuses of any other refusal: there should be few, and only around a kill. */
  readonly refusals: Map<number, number>
}

export interface LoadOptions {
  readonly factory: Factory
  /** Key by tenant. */
  readonly keys: ReadonlyMap<string, string>
  readonly clientsPerTenant: number
  /** Yields numbers in [0, 1). */
  readonly random: () => number
  readonly log: ClientLog
}

/** Starts clients that ask one thing after another until `stop`, whatever happens to the factory meanwhile. */
export function startClients(options: LoadOptions): { stop(): Promise<void> } {
  const leave = new AbortController()
  const running = [...options.keys].flatMap(([tenant, key]) =>
    Array.from({ length: options.clientsPerTenant }, async () => {
      while (!leave.signal.aborted) {
        const went = await askOnce(options, tenant, key, leave.signal).catch(() => 'broken' as const)
        // A factory that is down refuses at once; asking it in a tight loop would only heat the machine.
        if (went !== 'whole' && !leave.signal.aborted) await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }),
  )
  return {
    async stop() {
      leave.abort()
      await Promise.all(running)
    },
  }
}

const MODELS = ['quick', 'quick', 'slow', 'slow', 'cut'] as const

async function askOnce(
  { factory, random, log }: LoadOptions,
  tenant: string,
  key: string,
  leaving: AbortSignal,
): Promise<'whole' | 'other'> {
  const stream = random() < 0.6
  const asksUsage = random() < 0.8
  const hangsUp = random() < 0.08
  const model = MODELS[Math.floor(random() * MODELS.length)]
  const leave = new AbortController()
  const signal = AbortSignal.any([leaving, leave.signal])
  const answer = await fetch(`${factory.apiUrl}/chat/completions`, {
    method: 'POST',
    signal,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model,
      messages: [{ role: 'user', content: 'x'.repeat(Math.floor(random() * 400)) }],
      max_tokens: 60,
      stream,
      ...(stream && asksUsage ? { stream_options: { include_usage: true } } : {}),
    }),
  })
  const id = answer.headers.get('x-request-id') ?? ''
  if (answer.status !== 200) {
    if (answer.status === 402) log.turnedAway.set(tenant, (log.turnedAway.get(tenant) ?? 0) + 1)
    else log.refusals.set(answer.status, (log.refusals.get(answer.status) ?? 0) + 1)
    await answer.body?.cancel()
    return 'other'
  }
  if (hangsUp) {
    log.seen.push({ tenant, id, isAcknowledged: false, usage: undefined })
    leave.abort()
    return 'other'
  }
  try {
    const text = await answer.text()
    const isAcknowledged = stream ? text.endsWith('data: [DONE]\n\n') : true
    log.seen.push({ tenant, id, isAcknowledged, usage: isAcknowledged ? usageIn(text, stream) : undefined })
    return isAcknowledged ? 'whole' : 'other'
  } catch {
    log.seen.push({ tenant, id, isAcknowledged: false, usage: undefined })
    return 'other'
  }
}

function usageIn(text: string, stream: boolean): Seen['usage'] {
  const events = stream
    ? text.split('\n\n').flatMap((event) => (event.startsWith('data: {') ? [event.slice(6)] : []))
    : [text]
  for (const event of events.toReversed()) {
    const { usage } = JSON.parse(event) as { usage?: { prompt_tokens: number; completion_tokens: number } | null }
    if (usage) return { prompt: usage.prompt_tokens, completion: usage.completion_tokens }
  }
  return undefined
}

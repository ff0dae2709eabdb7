export interface Together<Ask, Reply> {
  /** How many transactions may be under way at a time. */
  readonly lanes: number
  /** How many asks one transaction takes at most. */
  readonly most: number
  /** One transaction for all of them. Replies in the same order; an error among them concerns its own ask alone. */
  readonly run: (asks: readonly Ask[]) => Promise<readonly (Reply | Error)[]>
}

interface Waiting<Ask, Reply> {
  readonly ask: Ask
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: unknown) => void
}

/**
 * What waits while other work of its kind is under way is done together with all else that waits by then: under load one commit, one
 * lock and one round trip serve many, and without load nothing waits for company. Where a group fails, each of it is tried alone, so
 * that what cannot be done spoils nothing but itself.
 */
export function together<Ask, Reply>({ lanes, most, run }: Together<Ask, Reply>): (ask: Ask) => Promise<Reply> {
  const waiting: Waiting<Ask, Reply>[] = []
  let busy = 0

  function begin(): void {
    if (busy === lanes || waiting.length === 0) return
    busy++
    void finish(waiting.splice(0, most)).then(() => {
      busy--
      begin()
    })
  }

  /** Never rejects: whoever asked hears of it. */
  async function finish(group: readonly Waiting<Ask, Reply>[]): Promise<void> {
    try {
      const replies = await run(group.map(({ ask }) => ask))
      for (const [index, { resolve, reject }] of group.entries()) {
        const reply = replies[index]
        if (reply instanceof Error || reply === undefined) reject(reply)
        else resolve(reply)
      }
    } catch (error) {
      const [first] = group
      if (group.length === 1) first?.reject(error)
      else for (const each of group) await finish([each])
    }
  }

  return (ask) =>
    new Promise((resolve, reject) => {
      waiting.push({ ask, resolve, reject })
      begin()
    })
}

/** The same for each of many things apart, of which most are idle. */
export function togetherBy<Ask, Reply>(
  keyOf: (ask: Ask) => string,
  options: Together<Ask, Reply>,
): (ask: Ask) => Promise<Reply> {
  const known = new Map<string, { readonly ask: (ask: Ask) => Promise<Reply>; asking: number }>()
  return async (ask) => {
    const key = keyOf(ask)
    const own = known.get(key) ?? { ask: together(options), asking: 0 }
    known.set(key, own)
    own.asking++
    try {
      return await own.ask(ask)
    } finally {
      own.asking--
      if (own.asking === 0) known.delete(key)
    }
  }
}

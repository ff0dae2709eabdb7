/** One step of a charge: what one document says more, or less, than those before it. */
export interface Step {
  readonly document: string
  readonly position: number
  readonly charge: string
  readonly revision: number
  readonly grossFen: bigint
  readonly dueFen: bigint
}

export interface Left {
  readonly grossFen: bigint
  /** Of what the tenant had to pay beside its wallet. */
  readonly dueFen: bigint
}

export const lineKey = (line: { readonly document: string; readonly position: number }): string =>
  `${line.document}#${line.position}`

/**
 * What is left of each line that bills something, by its `lineKey`: a step down takes back what was billed last, and then what was
 * billed before it. So every fen that is taken back is taken back on one line, however many documents speak of the charge.
 */
export function leftOf(steps: readonly Step[]): ReadonlyMap<string, Left> {
  const left = new Map<string, Left>()
  for (const own of Map.groupBy(steps, ({ charge }) => charge).values()) {
    const ordered = own.toSorted((a, b) => a.revision - b.revision)
    const [gross, due] = [remains(ordered, 'grossFen'), remains(ordered, 'dueFen')]
    for (const [index, step] of ordered.entries())
      if (step.grossFen > 0n || step.dueFen > 0n)
        left.set(lineKey(step), { grossFen: gross[index] ?? 0n, dueFen: due[index] ?? 0n })
  }
  return left
}

function remains(steps: readonly Step[], name: 'grossFen' | 'dueFen'): bigint[] {
  const rest = steps.map((step) => (step[name] > 0n ? step[name] : 0n))
  for (const [index, step] of steps.entries()) {
    let back = step[name] < 0n ? -step[name] : 0n
    for (let at = index - 1; at >= 0 && back > 0n; at--) {
      const part = back < (rest[at] ?? 0n) ? back : (rest[at] ?? 0n)
      rest[at] = (rest[at] ?? 0n) - part
      back -= part
    }
  }
  return rest
}

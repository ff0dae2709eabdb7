import type { Step } from './simulation.ts'
import { random } from './random.ts'
import type { Random } from './random.ts'

/** What goes wrong in a world, in percent of the steps that could. */
export interface Adversity {
  readonly loss: number
  readonly duplication: number
  readonly crashes: number
  /** Crashes after which the gateway finds another disk, until the old one comes back at the end. */
  readonly lostDisks: number
  /** No silence is longer than this. */
  readonly longestWaitMs: number
}

const WAITS_MS = [10, 60, 300, 2_000, 6_000, 40_000] as const

/** A world's history: a hundred or so steps of traffic, delivery out of order, loss, repetition, silence and crashes. */
export function historyOf(
  seed: number,
  adversity: Adversity,
): { wallets: bigint[]; cap: bigint; tokens: bigint; steps: Step[] } {
  const dice = random(seed)
  const wallets = [BigInt(20 + dice.below(400)), BigInt(20 + dice.below(400))]
  const cap = BigInt(dice.below(300))
  const tokens = BigInt(dice.below(300))
  const steps = Array.from({ length: 40 + dice.below(120) }, () => stepOf(dice, adversity))
  return { wallets, cap, tokens, steps }
}

function stepOf(dice: Random, { loss, duplication, crashes, lostDisks, longestWaitMs }: Adversity): Step {
  const index = dice.below(21)
  if (dice.chance(crashes)) return { kind: 'crash', written: dice.below(101) }
  if (dice.chance(lostDisks)) return { kind: 'swap', written: dice.below(101), index }
  switch (dice.below(8)) {
    case 0:
    case 1: {
      const amount = 1 + dice.below(40)
      return {
        kind: 'place',
        tenant: dice.below(2),
        amount,
        ...(dice.chance(40) ? { least: 1 + dice.below(amount) } : {}),
        capped: dice.chance(50),
        tokens: dice.chance(50) ? 1 + dice.below(40) : 0,
      }
    }
    case 2:
      return { kind: 'finish', index, share: dice.below(101), captureFirst: dice.chance(50) }
    case 3:
      return dice.chance(70) ? { kind: 'checkpoint', index } : { kind: 'void', index }
    case 4:
      return { kind: 'sync', count: 1 + dice.below(6) }
    case 5:
      return dice.chance(60)
        ? { kind: 'flow', syncs: dice.chance(50) }
        : { kind: 'wait', ms: Math.min(dice.pick(WAITS_MS), longestWaitMs) }
    case 6:
      if (dice.chance(duplication)) return { kind: 'duplicate', index }
      return dice.chance(loss) ? { kind: 'loseRequest', index } : { kind: 'deliver', index }
    default:
      return dice.chance(loss) ? { kind: 'loseReply', index } : { kind: 'reply', index }
  }
}

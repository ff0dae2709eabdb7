import type { SpendCap } from '#contract'
import { periodAt } from '#kernel'
import type { Problem } from '#kernel'
import type { Hold, Holds, Part } from '#holds'
import { walletProblem } from '#holds'
import { affordable } from './final-unit.ts'
import type { FinalUnit } from './final-unit.ts'
import { planFunding, unitBound } from './funding.ts'
import type { Asked, Step, UnitPart } from './funding.ts'
import type { Funding } from './means.ts'
import { accountRestricted, meansExhausted, reservationExhausted, spendCapReached } from './problems.ts'

/** Something beside the wallet that is held for a request. */
export type HeldPart =
  | { readonly kind: 'tokens' | 'throughput'; readonly hold: Hold; readonly bucket: string; readonly unit: UnitPart }
  | { readonly kind: 'reserved_money' | 'cap'; readonly hold: Hold; readonly bucket: string }

/** All that is held for a request, in the order in which it is used up. */
export interface Funds {
  /** Of nothing where the parts pay for whatever the request may use. */
  readonly wallet: Hold
  readonly payer: string | undefined
  readonly parts: readonly HeldPart[]
  /** The output that they pay for: less than was asked where that was not affordable. */
  readonly outputBound: number
}

export const NO_PARTS: readonly HeldPart[] = []

/**
 * Sets aside what pays for a request, from its means in their order; all of it or nothing. Where nobody can pay for all of it and
 * `finalUnit` allows a shorter answer, they are asked once more for that. `done` is called at once where slices have room.
 */
export function fund(
  holds: Holds,
  funding: Funding,
  asked: Asked & {
    readonly moneyBound: bigint
    readonly tenant: string
    readonly finalUnit?: FinalUnit | undefined
  },
  done: (outcome: Funds | Problem) => void,
): void {
  const steps = planFunding(funding, asked)
  const parts: HeldPart[] = []
  /** What money must still be held for. */
  let moneyLeft = asked.moneyBound
  /** Why the first wallet could not pay. */
  let refused: Problem | undefined

  const giveUp = (problem: Problem): void => {
    for (const { hold } of parts) hold.void()
    done(problem)
  }
  let outputBound = asked.outputBound
  const finish = (wallet: Hold, payer?: string): void => done({ wallet, payer, parts, outputBound })
  const covered = (): void =>
    holds.place('', 0n, (wallet) => ('refused' in wallet ? giveUp(walletProblem(wallet)) : finish(wallet)))
  const nobodyPays = (): Problem => (funding.isRestricted ? accountRestricted({}) : (refused ?? meansExhausted({})))

  function ask(next: number): void {
    const step = steps[next]
    if (moneyLeft === 0n) covered()
    else if (!step) askLess()
    else if (step.kind !== 'wallet') askMeans(step, next)
    else askWallet(step, next)
  }

  function askMeans(step: Exclude<Step, { kind: 'wallet' }>, next: number): void {
    holds.placeAll(partsOf(step, moneyLeft), (outcome) => {
      if ('refused' in outcome) {
        if (outcome.refused !== 'insufficient') giveUp(walletProblem(outcome))
        else if ('overflow' in step && step.overflow === 'reject')
          giveUp(reservationExhausted({ retryAfterMs: Math.max(0, step.refilledAtMs - asked.atMs) }))
        else ask(next + 1)
        return
      }
      parts.push(...heldParts(step, outcome))
      if (step.kind === 'money') moneyLeft -= amountOf(outcome)
      else if (step.kind === 'units' || amountOf(outcome) === step.part.amount) moneyLeft = 0n
      ask(next + 1)
    })
  }

  /** A shorter answer: for what tokens are held already, else for what a wallet has beside reserved money. */
  function askLess(): void {
    const { finalUnit } = asked
    const byTokens = finalUnit && mostByTokens(finalUnit, parts, asked)
    if (byTokens !== undefined) {
      outputBound = byTokens
      covered()
    } else if (finalUnit) askWalletForLess(finalUnit, 0)
    else giveUp(nobodyPays())
  }

  function askWalletForLess(finalUnit: FinalUnit, next: number): void {
    const step = steps.filter((each) => each.kind === 'wallet')[next]
    const reservedPico = asked.moneyBound - moneyLeft
    const least = finalUnit.costOf(finalUnit.least) - reservedPico
    if (!step || least <= 0n) {
      const alone = reservedPico > 0n ? affordable(finalUnit, reservedPico, finalUnit.costOf) : undefined
      if (alone === undefined) return giveUp(nobodyPays())
      outputBound = alone
      return covered()
    }
    const caps = capsNow()
    const wanted = [...caps.map(({ bucket }) => bucket), step.bucket]
    holds.placeAll(
      wanted.map((bucket) => ({ bucket, amount: moneyLeft, atLeast: least, optional: false })),
      (outcome) => {
        if ('refused' in outcome) {
          if (outcome.refused === 'insufficient') askWalletForLess(finalUnit, next + 1)
          else giveUp(walletProblem(outcome))
          return
        }
        const lowest = outcome.reduce((most, { amount }) => (amount < most ? amount : most), moneyLeft)
        outputBound = affordable(finalUnit, lowest + reservedPico, finalUnit.costOf) ?? finalUnit.least
        holdWallet(step, caps, outcome)
      },
    )
  }

  function capsNow() {
    return funding.caps.map((cap) => ({ cap, bucket: `${cap.bucket}@${periodAt(cap.period, asked.atMs).key}` }))
  }

  function holdWallet(step: Step & { kind: 'wallet' }, caps: ReturnType<typeof capsNow>, held: readonly Hold[]): void {
    caps.forEach(({ bucket }, i) => parts.push({ kind: 'cap', hold: held[i] as Hold, bucket }))
    finish(held.at(-1) as Hold, step.payer === asked.tenant ? undefined : step.payer)
  }

  function askWallet(step: Step & { kind: 'wallet' }, next: number): void {
    const caps = capsNow()
    const wanted = [...caps.map(({ bucket }) => whole(bucket, moneyLeft)), whole(step.bucket, moneyLeft)]
    holds.placeAll(wanted, (outcome) => {
      if (!('refused' in outcome)) holdWallet(step, caps, outcome)
      else if (outcome.refused === 'insufficient') {
        const cap = caps.find(({ bucket }) => bucket === outcome.bucket)?.cap
        refused ??= cap ? capProblem(cap, asked.atMs) : walletProblem(outcome)
        ask(next + 1)
      } else giveUp(walletProblem(outcome))
    })
  }

  ask(0)
}

/** The longest answer whose tokens are all paid for by what is held of one package; the others then pay for less of it. */
function mostByTokens(finalUnit: FinalUnit, parts: readonly HeldPart[], asked: Asked): number | undefined {
  let most: number | undefined
  for (const part of parts) {
    if (part.kind !== 'tokens') continue
    const { weights } = part.unit.conversion
    const fits = affordable(finalUnit, part.hold.amount, (outputBound) => unitBound(weights, { ...asked, outputBound }))
    if (fits !== undefined && fits > (most ?? 0)) most = fits
  }
  return most
}

function partsOf(step: Exclude<Step, { kind: 'wallet' }>, moneyLeft: bigint): readonly Part[] {
  switch (step.kind) {
    case 'tokens':
      return [{ bucket: step.part.bucket, amount: step.part.amount, atLeast: 1n, optional: true }]
    case 'units':
      return step.parts.map(({ bucket, amount }) => ({ bucket, amount, atLeast: amount, optional: true }))
    case 'money': {
      const atLeast = step.overflow === 'reject' ? moneyLeft : 1n
      return [{ bucket: step.bucket, amount: moneyLeft, atLeast, optional: true }]
    }
  }
}

function heldParts(step: Exclude<Step, { kind: 'wallet' }>, holds: readonly Hold[]): readonly HeldPart[] {
  return holds.map((hold, i): HeldPart => {
    if (step.kind === 'money') return { kind: 'reserved_money', hold, bucket: step.bucket }
    const unit = step.kind === 'tokens' ? step.part : (step.parts[i] as UnitPart)
    return { kind: step.kind === 'tokens' ? 'tokens' : 'throughput', hold, bucket: unit.bucket, unit }
  })
}

const whole = (bucket: string, amount: bigint): Part => ({ bucket, amount, atLeast: amount, optional: false })

function amountOf([hold]: readonly Hold[]): bigint {
  return hold?.amount ?? 0n
}

function capProblem({ scope, period }: SpendCap, atMs: number): Problem {
  return spendCapReached({ scope, period, resetsAt: new Date(periodAt(period, atMs).toMs).toISOString() })
}

import type { SpendCap } from '#contract'
import { periodAt } from '#kernel'
import type { Problem } from '#kernel'
import type { Hold, Holds, Part } from '#holds'
import { walletProblem } from '#holds'
import { planFunding } from './funding.ts'
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
}

export const NO_PARTS: readonly HeldPart[] = []

/** Sets aside what pays for a request, from its means in their order; all of it or nothing. `done` is called at once where slices have room. */
export function fund(
  holds: Holds,
  funding: Funding,
  asked: Asked & { readonly moneyBound: bigint; readonly tenant: string },
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
  const finish = (wallet: Hold, payer?: string): void => done({ wallet, payer, parts })
  const covered = (): void =>
    holds.place('', 0n, (wallet) => ('refused' in wallet ? giveUp(walletProblem(wallet)) : finish(wallet)))

  function ask(next: number): void {
    const step = steps[next]
    if (moneyLeft === 0n) covered()
    else if (!step) giveUp(funding.isRestricted ? accountRestricted({}) : (refused ?? meansExhausted({})))
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

  function askWallet(step: Step & { kind: 'wallet' }, next: number): void {
    const caps = funding.caps.map((cap) => ({ cap, bucket: `${cap.bucket}@${periodAt(cap.period, asked.atMs).key}` }))
    const wanted = [...caps.map(({ bucket }) => whole(bucket, moneyLeft)), whole(step.bucket, moneyLeft)]
    holds.placeAll(wanted, (outcome) => {
      if (!('refused' in outcome)) {
        const wallet = outcome.at(-1) as Hold
        caps.forEach(({ bucket }, i) => parts.push({ kind: 'cap', hold: outcome[i] as Hold, bucket }))
        finish(wallet, step.payer === asked.tenant ? undefined : step.payer)
      } else if (outcome.refused === 'insufficient') {
        const cap = caps.find(({ bucket }) => bucket === outcome.bucket)?.cap
        refused ??= cap ? capProblem(cap, asked.atMs) : walletProblem(outcome)
        ask(next + 1)
      } else giveUp(walletProblem(outcome))
    })
  }

  ask(0)
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

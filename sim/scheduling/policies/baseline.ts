import type { Attempt, Ending, Policy, PolicyKind, Question, Surroundings, Used } from '../policy.ts'
import { createBook } from './book.ts'
import type { Book } from './book.ts'

/** What a peer's rule is, apart from the bookkeeping that all of them share. */
export interface Rule {
  /** Of these, never empty. */
  pick(among: readonly number[], question: Question): number
  began?(attempt: Attempt): void
  firstToken?(attempt: Attempt, ms: number, nowMs: number): void
  ended?(attempt: Attempt, ending: Ending): void
  settled?(attempt: Attempt, used: Used): void
}

/** A supplier that failed this request is not asked again for it; for other requests each rule decides by itself. */
export function baseline(name: string, title: string, ruleOf: (around: Surroundings, book: Book) => Rule): PolicyKind {
  return {
    name,
    title,
    make(around): Policy {
      const suppliers = around.market.suppliers.map((_, index) => index)
      const book = createBook(suppliers.length)
      const rule = ruleOf(around, book)
      return {
        missProbability: Number.NaN,
        pick(question) {
          const among =
            question.tried.length === 0 ? suppliers : suppliers.filter((each) => !question.tried.includes(each))
          return among.length === 0 ? -1 : rule.pick(among, question)
        },
        began(attempt) {
          book.began(attempt)
          rule.began?.(attempt)
        },
        firstToken(attempt, ms, nowMs) {
          book.firstToken(attempt)
          rule.firstToken?.(attempt, ms, nowMs)
        },
        ended(attempt, ending) {
          book.ended(attempt, ending)
          rule.ended?.(attempt, ending)
        },
        settled: (attempt, used) => rule.settled?.(attempt, used),
        lost() {},
        tick() {},
      }
    },
  }
}

/** The one with the least cost; the first of several. */
export function least(among: readonly number[], costOf: (supplier: number) => number): number {
  let best = among[0]!
  let lowest = costOf(best)
  for (let i = 1; i < among.length; i++) {
    const cost = costOf(among[i]!)
    if (cost < lowest) {
      lowest = cost
      best = among[i]!
    }
  }
  return best
}

import type { FactoryMistake } from '#contract'

/** Beyond this many mistakes the file is the wrong file. */
const MAX_MISTAKES = 500

/** Mistakes in file order, as they are told: the first hundreds, and how many more there are. */
export function reported(mistakes: readonly FactoryMistake[]): readonly FactoryMistake[] {
  const ordered = mistakes.toSorted((a, b) => a.line - b.line || a.column - b.column)
  const told = ordered.slice(0, MAX_MISTAKES)
  const last = told.at(-1)
  if (last !== undefined && ordered.length > MAX_MISTAKES)
    told.push({ ...last, path: '', message: `and ${ordered.length - MAX_MISTAKES} more mistakes` })
  return told
}

import { defineProblem } from '#kernel'
import type { FactoryMistake } from '#contract'

export const factoryFileMistakes = defineProblem<{ mistakes: readonly FactoryMistake[] }>({
  code: 'factory_file_mistakes',
  status: 422,
  title: 'Mistakes in the file',
  retryable: false,
  detail: ({ mistakes }) =>
    `The file has ${mistakes.length} ${mistakes.length === 1 ? 'mistake' : 'mistakes'}; nothing was applied.`,
})

import { readFile } from 'node:fs/promises'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ApiError } from './api.ts'
import { describeProblem, problemText } from './problem-text.ts'

const src = join(import.meta.dirname, '../../src')
/** Where the problems are declared that a person at the console can meet. */
const declared = [
  'apps/control-problems.ts',
  'operations/{identity,ordering,billing,agreements,settlement,quality,catalogue/drains}/problems.ts',
  'production/{admission,gateway,holds,protocols/openai-chat}/problems.ts',
]

test('every problem that the console can meet has words in both languages', async () => {
  const files = declared.flatMap((pattern) => globSync(pattern, { cwd: src }))
  const codes = (await Promise.all(files.map((file) => readFile(join(src, file), 'utf8')))).flatMap((text) =>
    [...text.matchAll(/^ {2}code: '([a-z_]+)'/gm)].map((match) => match[1] ?? ''),
  )
  expect(codes.length).toBeGreaterThan(20)
  const known: Readonly<Record<string, string>> = problemText.zh
  expect(codes.filter((code) => known[code] === undefined)).toEqual([])
  expect(Object.keys(problemText.en).toSorted()).toEqual(Object.keys(problemText.zh).toSorted())
})

test('an unknown code shows the server’s own sentence', () => {
  const problem = describeProblem(
    new ApiError({ code: 'brand_new', status: 418, detail: 'Short and stout.' }),
    problemText.zh,
  )
  expect(problem).toEqual({ message: 'Short and stout.', detail: 'brand_new · HTTP 418', retryAfterSeconds: null })
})

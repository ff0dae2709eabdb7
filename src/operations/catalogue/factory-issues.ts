import type * as z from 'zod'
import type { YamlPath } from './yaml-source.ts'

interface Explained {
  readonly path: YamlPath
  readonly message: string
  readonly of: 'key' | 'value'
}

/** Says what a schema's complaint means in the words of somebody who writes the file; values are never repeated. */
export function explainIssue(issue: z.core.$ZodIssue, root: unknown): readonly Explained[] {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)))
  const say = (message: string): readonly Explained[] => [{ path, message, of: 'value' }]
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((name) => ({ path: [...path, name], message: 'unknown field', of: 'key' as const }))
  if (issue.code !== 'custom' && isMissing(root, path)) return say(`the field ${String(path.at(-1) ?? '')} is missing`)
  switch (issue.code) {
    case 'invalid_type':
      return say(issue.message.startsWith('Invalid input') ? `must be ${article(issue.expected)}` : issue.message)
    case 'invalid_value':
      return say(`must be one of: ${issue.values.map(String).join(', ')}`)
    case 'invalid_union':
      return say(
        `must be one of: ${'options' in issue && Array.isArray(issue.options) ? issue.options.map(String).join(', ') : 'the allowed forms'}`,
      )
    case 'too_small':
      return say(
        issue.message.startsWith('Too small')
          ? `must be at least ${issue.minimum}${unit(issue.origin)}`
          : issue.message,
      )
    case 'too_big':
      return say(
        issue.message.startsWith('Too big') ? `must be at most ${issue.maximum}${unit(issue.origin)}` : issue.message,
      )
    default:
      return say(issue.message)
  }
}

function isMissing(root: unknown, path: YamlPath): boolean {
  let value = root
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return true
    value = (value as Record<string | number, unknown>)[part]
  }
  return false
}

function article(expected: string): string {
  if (expected === 'int') return 'a whole number'
  if (expected === 'array') return 'a list'
  if (expected === 'object') return 'an object of fields'
  if (expected === 'string') return 'a text; put it in quotes if it looks like a number'
  return `a ${expected}`
}

function unit(origin: string): string {
  if (origin === 'string') return ' characters long'
  return origin === 'array' ? ' long' : ''
}

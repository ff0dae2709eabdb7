import type { HeaderView } from './types.ts'

/**
 * Header access over the text of a head that was already validated. `marks` holds four offsets per field: name start and
 * end, value start and end. Strings are cut only when asked for, since most headers are never looked at.
 */
export function createHeaderView(text: string, marks: readonly number[]): HeaderView {
  return new MarkedHeaders(text, marks)
}

/** A class, against the house rule, because two are made per request. */
class MarkedHeaders implements HeaderView {
  private readonly text: string
  private readonly marks: readonly number[]

  constructor(text: string, marks: readonly number[]) {
    this.text = text
    this.marks = marks
  }

  get(name: string): string | undefined {
    const { text, marks } = this
    let found: string | undefined
    for (let i = 0; i < marks.length; i += 4) {
      if (!isName(text, marks[i]!, marks[i + 1]!, name)) continue
      const value = text.slice(marks[i + 2], marks[i + 3])
      found = found === undefined ? value : `${found}, ${value}`
    }
    return found
  }

  entries(): ReadonlyArray<readonly [string, string]> {
    const { text, marks } = this
    const all: (readonly [string, string])[] = []
    for (let i = 0; i < marks.length; i += 4) {
      all.push([text.slice(marks[i], marks[i + 1]).toLowerCase(), text.slice(marks[i + 2], marks[i + 3])])
    }
    return all
  }
}

/**
 * Whether a valid header name reads as `name`, which is of lower-case letters, digits and `-`. Setting one bit makes capital letters
 * small and changes nothing else that a header name can hold into a letter, a digit or `-`.
 */
export function isName(text: string, start: number, end: number, name: string): boolean {
  if (end - start !== name.length) return false
  for (let i = 0; i < name.length; i++) if ((text.charCodeAt(start + i) | 32) !== name.charCodeAt(i)) return false
  return true
}

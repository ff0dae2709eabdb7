import type { HeaderView } from './types.ts'

/**
 * Header access over the text of a head that was already validated. `marks` holds four offsets per field: name start and
 * end, value start and end. Strings are cut only when asked for, since most headers are never looked at.
 */
export function createHeaderView(text: string, marks: readonly number[]): HeaderView {
  return {
    get(name) {
      let found: string | undefined
      const first = name.charCodeAt(0)
      for (let i = 0; i < marks.length; i += 4) {
        const start = marks[i]!
        const end = marks[i + 1]!
        if (end - start !== name.length || (text.charCodeAt(start) | 32) !== (first | 32)) continue
        if (text.slice(start, end).toLowerCase() !== name) continue
        const value = text.slice(marks[i + 2], marks[i + 3])
        found = found === undefined ? value : `${found}, ${value}`
      }
      return found
    },
    entries() {
      const all: (readonly [string, string])[] = []
      for (let i = 0; i < marks.length; i += 4) {
        all.push([text.slice(marks[i], marks[i + 1]).toLowerCase(), text.slice(marks[i + 2], marks[i + 3])])
      }
      return all
    },
  }
}

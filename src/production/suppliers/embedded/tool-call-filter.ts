export type ToolCallPart =
  | { readonly kind: 'tool_name'; readonly name: string }
  | { readonly kind: 'tool_arguments'; readonly text: string }

/** Takes the text of a forced tool call apart, piece by piece, into the tool's name and its arguments. */
export interface ToolCallFilter {
  push(text: string): readonly ToolCallPart[]
}

/** `names` are the candidates: for one the text is its arguments, for several it is `{"name":"…","arguments":…}`. */
export function createToolCallFilter(names: readonly string[]): ToolCallFilter {
  const [only] = names
  return names.length === 1 && only !== undefined ? createArgumentsFilter(only) : createEnvelopeFilter()
}

function createArgumentsFilter(name: string): ToolCallFilter {
  let isNamed = false
  return {
    push(text) {
      const parts: ToolCallPart[] = isNamed ? [] : [{ kind: 'tool_name', name }]
      isNamed = true
      if (text !== '') parts.push({ kind: 'tool_arguments', text })
      return parts
    },
  }
}

function createEnvelopeFilter(): ToolCallFilter {
  let head: string | null = ''
  let last = ''
  return {
    push(text) {
      const parts: ToolCallPart[] = []
      let body = text
      if (head !== null) {
        head += text
        const match = /^\{"name":"([^"]+)","arguments":/.exec(head)
        if (!match?.[1]) return parts
        parts.push({ kind: 'tool_name', name: match[1] })
        body = head.slice(match[0].length)
        head = null
      }
      // The last character of the whole text closes the envelope, so one character is always kept back and finally dropped.
      const known = last + body
      last = known.slice(-1)
      if (known.length > 1) parts.push({ kind: 'tool_arguments', text: known.slice(0, -1) })
      return parts
    },
  }
}

import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml'
import type { Node } from 'yaml'
import type { FactoryMistake } from '#contract'

export type YamlPath = readonly (string | number)[]

export interface YamlSource {
  /** Plain data, or undefined when the text is not YAML at all and reading on would only invent mistakes. */
  readonly value: unknown
  readonly mistakes: readonly FactoryMistake[]
  /** Makes a mistake at the place that `path` names; `of: 'key'` points at the field's name instead of its value. */
  mistake(path: YamlPath, message: string, of?: 'key' | 'value'): FactoryMistake
}

/** A file of one MiB declares some ten thousand objects; more is somebody's dump. */
const MAX_CHARS = 1_048_576
/** Counted after aliases are followed, so nested aliases cannot grow into gigabytes. */
const MAX_NODES = 200_000
const MAX_DEPTH = 32

/** Mistakes of the text that leave its structure intact, so the rest of the file can still be judged. */
const HARMLESS = new Set(['DUPLICATE_KEY'])

/**
 * Reads YAML 1.2 into plain data and remembers where everything stood. Numbers under `decimalFields` become their source
 * text, so money never passes through a float.
 */
export function readYaml(text: string, file: string, decimalFields: ReadonlySet<string>): YamlSource {
  const lines = new LineCounter()
  const mistakes: FactoryMistake[] = []
  const values = new Map<string, number>()
  const keys = new Map<string, number>()
  const at = (offset: number, path: YamlPath, message: string): FactoryMistake => {
    const { line, col } = lines.linePos(offset)
    return { file, line: Math.max(line, 1), column: Math.max(col, 1), path: formatPath(path), message }
  }
  const source = (value: unknown): YamlSource => ({
    value,
    mistakes,
    mistake(path, message, of = 'value') {
      const own = (of === 'key' ? keys : values).get(JSON.stringify(path))
      if (own !== undefined) return at(own, path, message)
      for (let length = path.length; length >= 0; length--) {
        const offset = values.get(JSON.stringify(path.slice(0, length)))
        if (offset !== undefined) return at(offset, path, message)
      }
      return at(0, path, message)
    },
  })

  if (text.length > MAX_CHARS) {
    mistakes.push(at(0, [], `the file is larger than ${MAX_CHARS} characters`))
    return source(undefined)
  }

  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
    version: '1.2',
    schema: 'core',
  })
  const faults = [...document.errors, ...document.warnings]
  const isBroken = document.errors.some((error) => !HARMLESS.has(error.code)) || document.warnings.length > 0

  const budget = { nodes: MAX_NODES }
  let isCut = false

  const refuse = (node: Node | null, path: YamlPath, message: string): undefined => {
    mistakes.push(at(node?.range?.[0] ?? 0, path, message))
    return undefined
  }

  const convert = (node: Node | null, path: YamlPath, offset: number, within: readonly Node[]): unknown => {
    const marker = JSON.stringify(path)
    if (!values.has(marker)) values.set(marker, node?.range?.[0] ?? offset)
    if (node === null || isCut) return null
    budget.nodes -= 1
    if (budget.nodes < 0 || within.length > MAX_DEPTH) {
      isCut = true
      return refuse(
        node,
        path,
        budget.nodes < 0
          ? `the file has more than ${MAX_NODES} values once its aliases are followed`
          : 'nested too deeply',
      )
    }
    if (isAlias(node)) {
      const target = node.resolve(document)
      if (target === undefined) return refuse(node, path, `the anchor *${node.source} does not exist`)
      if (within.includes(target)) return refuse(node, path, `the anchor *${node.source} contains itself`)
      return convert(target, path, node.range?.[0] ?? offset, within)
    }
    if (isSeq(node)) {
      const inside = [...within, node]
      return node.items.map((item, index) => convert(item as Node | null, [...path, index], offset, inside))
    }
    if (isMap(node)) {
      const inside = [...within, node]
      const fields: [string, unknown][] = []
      for (const pair of node.items) {
        const key = pair.key as Node | null
        const word: unknown = isScalar(key) ? key.value : undefined
        if (typeof word !== 'string' && typeof word !== 'number' && typeof word !== 'boolean') {
          refuse(key, path, 'the name of a field must be a plain word')
          continue
        }
        const name = String(word)
        if (name === '__proto__') {
          refuse(key, path, 'this name is not possible')
          continue
        }
        const keyOffset = key?.range?.[0] ?? offset
        keys.set(JSON.stringify([...path, name]), keyOffset)
        fields.push([name, convert(pair.value as Node | null, [...path, name], keyOffset, inside)])
      }
      return Object.fromEntries(fields)
    }
    if (!isScalar(node)) return refuse(node, path, 'not a plain value')
    // The database cannot store it.
    if (typeof node.value === 'string' && node.value.includes('\0'))
      return refuse(node, path, 'contains the character NUL')
    const name = path.at(-1)
    const isDecimal = typeof node.value === 'number' && typeof name === 'string' && decimalFields.has(name)
    return isDecimal ? (node.source ?? String(node.value)) : node.value
  }

  const value = convert(document.contents, [], 0, [])
  // What the walk says of a text that is no YAML is only a consequence; where things stand is known from it all the same.
  if (isBroken) mistakes.length = 0
  const nearest = faults.length > 0 ? nearestPath(values, keys) : () => []
  for (const { code, message, pos } of faults) {
    const what = code === 'DUPLICATE_KEY' ? 'this name is already given in the same object' : message
    mistakes.push(at(pos[0], nearest(pos[0]), what))
  }
  if (isBroken) return source(undefined)
  return source(isCut ? undefined : value)
}

/** Finds the path of what stands last before an offset; of two at the same place the inner one. */
function nearestPath(...places: readonly ReadonlyMap<string, number>[]): (offset: number) => YamlPath {
  const ordered = places
    .flatMap((place) => [...place])
    .map(([marker, offset]) => ({ offset, path: JSON.parse(marker) as YamlPath }))
    .toSorted((a, b) => a.offset - b.offset || a.path.length - b.path.length)
  return (offset) => {
    let low = 0
    for (let high = ordered.length; low < high;) {
      const middle = (low + high) >>> 1
      if ((ordered[middle]?.offset ?? 0) <= offset) low = middle + 1
      else high = middle
    }
    return ordered[low - 1]?.path ?? []
  }
}

/** `['services', 0, 'id']` → `services[0].id`; names that are not plain words are quoted. */
export function formatPath(path: YamlPath): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else if (/^[A-Za-z_][A-Za-z0-9_-]*$/.test(part)) text += text ? `.${part}` : part
    else text += `[${JSON.stringify(part.slice(0, 64))}]`
  }
  return text
}

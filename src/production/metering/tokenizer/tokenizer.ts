import { createRequire } from 'node:module'
import { relative, resolve, sep } from 'node:path'
import type { TokenizerSpec } from '#contract'
import { unreachable } from '#kernel'
import { createWordCounter } from './byte-pair-encoding.ts'
import { GgufError } from './gguf-metadata.ts'
import { type GgufVocabulary, readGgufVocabulary } from './gguf-vocabulary.ts'
import { findPreTokeniser } from './pre-tokeniser.ts'
import { createWordCache } from './word-cache.ts'

/** Our own count of a text, independent of what a supplier reports. */
export interface Tokenizer {
  /** How the count is made, as it is written into usage records: `gguf:<file>`, `tiktoken:<encoding>` or `estimate:…`. */
  readonly method: string
  /** Whether the count is the model's own tokenisation, or an estimate. */
  readonly isExact: boolean
  /** Which chat template surrounds messages, where we know it. */
  readonly chatTemplate: 'role-tokens' | null
  /** Tokens of plain text. Markers such as `<|end|>` inside the text are text, never control tokens. */
  count(text: string): number
}

/** The template whose cost we know: `<|role|>content<|end|>` per message, then `<|assistant|>`. */
const ROLE_TOKENS = ['<|system|>', '<|user|>', '<|assistant|>', '<|tool|>', '<|end|>']
const FALLBACK_BYTES_PER_TOKEN = 4
const FALLBACK_METHOD = `estimate:bytes/${FALLBACK_BYTES_PER_TOKEN}`
const USER_DEFINED = 4
const LONGEST_WORD = 1024
const OVERLONG_WORD = /[\p{L}\p{M}]{1025,}|[^\s\p{L}\p{M}\p{N}]{1025,}|\s{1025,}/gu

/**
 * `modelRoot` is the directory that `gguf` files are named relative to; nothing outside it is read. Never throws: a file that
 * is missing, broken or of a family that we cannot tokenise gives an estimate whose `method` says so, because a wrong name in
 * one service must not stop the serving of all others.
 */
export function createTokenizer(
  spec: Exclude<TokenizerSpec, { kind: 'embedded' }>,
  { modelRoot }: { readonly modelRoot: string },
): Tokenizer {
  switch (spec.kind) {
    case 'gguf':
      return openGgufTokenizer(spec.file, modelRoot)
    case 'tiktoken':
      return createTiktokenTokenizer(spec.encoding)
    case 'bytes':
      return createByteEstimate(spec.bytesPerToken, `estimate:bytes/${spec.bytesPerToken}`)
    default:
      return unreachable(spec)
  }
}

function openGgufTokenizer(file: string, modelRoot: string): Tokenizer {
  try {
    return createGgufTokenizer(readGgufVocabulary(withinRoot(modelRoot, file)), file)
  } catch (error) {
    const reason = error instanceof GgufError || error instanceof RangeError ? error.message : 'it cannot be read'
    return createByteEstimate(FALLBACK_BYTES_PER_TOKEN, `${FALLBACK_METHOD} (${file}: ${reason})`)
  }
}

function withinRoot(root: string, file: string): string {
  const path = resolve(root, file)
  const inside = relative(resolve(root), path)
  if (inside === '' || inside === '..' || inside.startsWith(`..${sep}`))
    throw new RangeError('it is not in the model directory')
  return path
}

function createGgufTokenizer(vocabulary: GgufVocabulary, file: string): Tokenizer {
  const chatTemplate = isRoleTokenTemplate(vocabulary) ? 'role-tokens' : null
  const pattern = vocabulary.model === 'gpt2' ? findPreTokeniser(vocabulary.pre) : undefined
  if (!pattern) {
    const method = `${FALLBACK_METHOD} (${vocabulary.model}/${vocabulary.pre} is not supported)`
    return { ...createByteEstimate(FALLBACK_BYTES_PER_TOKEN, method), chatTemplate }
  }
  const cut: RegExp = pattern
  const countWord = createWordCounter(vocabulary)
  const cache = createWordCache()
  const atoms = vocabulary.tokens
    .filter((token, index) => token !== '' && vocabulary.tokenTypes[index] === USER_DEFINED)
    .toSorted((a, b) => b.length - a.length)

  function countPlain(text: string): number {
    let total = 0
    cut.lastIndex = 0
    for (let match = cut.exec(text); match !== null; match = cut.exec(text)) {
      const word = match[0]
      let count = cache.get(word)
      if (count === undefined) {
        count = countWord(word)
        cache.set(word, count)
      }
      total += count
    }
    return total
  }
  return {
    method: `gguf:${file}`,
    isExact: true,
    chatTemplate,
    count(text) {
      const clean = text.toWellFormed()
      return atoms.length === 0 ? countPlain(clean) : countAroundAtoms(clean, atoms, countPlain)
    },
  }
}

/** User-defined tokens are cut out of the text first, the longest ones before the others, whatever surrounds them. */
function countAroundAtoms(text: string, atoms: readonly string[], countPlain: (text: string) => number): number {
  let fragments = [text]
  let total = 0
  for (const atom of atoms) {
    if (!text.includes(atom)) continue
    const rest: string[] = []
    for (const fragment of fragments) {
      const pieces = fragment.split(atom)
      total += pieces.length - 1
      rest.push(...pieces)
    }
    fragments = rest
  }
  for (const fragment of fragments) total += countPlain(fragment)
  return total
}

function isRoleTokenTemplate({ tokens, chatTemplate }: GgufVocabulary): boolean {
  const known = new Set(tokens)
  return (
    ROLE_TOKENS.every((token) => known.has(token)) &&
    chatTemplate !== null &&
    chatTemplate.replaceAll(/\s/g, '').includes(`<|{{m['role']}}|>{{m['content']}}<|end|>`)
  )
}

function createTiktokenTokenizer(encoding: 'o200k_base' | 'cl100k_base'): Tokenizer {
  let counter: ((text: string) => number) | undefined
  return {
    method: `tiktoken:${encoding}`,
    isExact: true,
    chatTemplate: null,
    count(text) {
      counter ??= loadTiktoken(encoding)
      return countInPieces(text.toWellFormed(), counter)
    },
  }
}

/**
 * Counts words of more than `LONGEST_WORD` characters in pieces, at most one token off per piece: the package takes time in
 * the square of a word's length, and a word is whatever a client sends.
 */
function countInPieces(text: string, counter: (text: string) => number): number {
  let total = 0
  let at = 0
  for (const match of text.matchAll(OVERLONG_WORD)) {
    total += counter(text.slice(at, match.index))
    at = match.index + match[0].length
    for (let from = match.index; from < at; from += LONGEST_WORD) {
      total += counter(text.slice(from, Math.min(at, from + LONGEST_WORD)).toWellFormed())
    }
  }
  return total + counter(text.slice(at))
}

/** A rank table takes tens of megabytes, so it is loaded by the first text that needs it and not by the import. */
function loadTiktoken(encoding: string): (text: string) => number {
  const loaded: unknown = createRequire(import.meta.url)(`gpt-tokenizer/encoding/${encoding}`)
  const { countTokens } = loaded as {
    countTokens: (text: string, options: { allowedSpecial: Set<string>; disallowedSpecial: Set<string> }) => number
  }
  const asPlainText = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() }
  return (text) => countTokens(text, asPlainText)
}

function createByteEstimate(bytesPerToken: number, method: string): Tokenizer {
  return {
    method,
    isExact: false,
    chatTemplate: null,
    count: (text) => Math.ceil(Buffer.byteLength(text, 'utf8') / bytesPerToken),
  }
}

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { GgufError, type GgufValue, GgufTruncated, readGgufMetadata } from './gguf-metadata.ts'

/** What a tokenizer needs of a model file. `tokens` are in the file's own spelling (byte-level models spell bytes as letters). */
export interface GgufVocabulary {
  /** Tokenizer family: `gpt2` is byte-level BPE, `llama` is SentencePiece, … */
  readonly model: string
  /** Name of the pre-tokeniser that cuts text into words. */
  readonly pre: string
  readonly tokens: readonly string[]
  /** Per token: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte. */
  readonly tokenTypes: readonly number[]
  readonly merges: readonly string[]
  readonly chatTemplate: string | null
}

const FIRST_READ_BYTES = 1024 * 1024
const MAX_HEADER_BYTES = 256 * 1024 * 1024

/** Reads the header only, in a window that doubles until the header fits: the weights behind it may be many gigabytes. */
export function readGgufVocabulary(path: string): GgufVocabulary {
  const file = openSync(path, 'r')
  try {
    const size = fstatSync(file).size
    for (let windowBytes = FIRST_READ_BYTES; ; windowBytes *= 2) {
      const window = Buffer.alloc(Math.min(windowBytes, size))
      let filled = 0
      while (filled < window.length) {
        const got = readSync(file, window, filled, window.length - filled, filled)
        if (got === 0) break
        filled += got
      }
      try {
        return parseGgufVocabulary(window.subarray(0, filled))
      } catch (error) {
        if (!(error instanceof GgufTruncated) || window.length >= size || windowBytes >= MAX_HEADER_BYTES) throw error
      }
    }
  } finally {
    closeSync(file)
  }
}

/** Throws `GgufError` where the header lacks a vocabulary or its lists do not fit together. */
export function parseGgufVocabulary(header: Buffer): GgufVocabulary {
  const metadata = readGgufMetadata(header, (key) => key.startsWith('tokenizer.'))
  const tokens = strings(metadata.get('tokenizer.ggml.tokens'), 'tokens')
  const tokenTypes = numbers(metadata.get('tokenizer.ggml.token_type'))
  if (tokenTypes.length > 0 && tokenTypes.length !== tokens.length)
    throw new GgufError('as many token types as tokens are needed')
  return {
    model: text(metadata.get('tokenizer.ggml.model')) ?? '',
    pre: text(metadata.get('tokenizer.ggml.pre')) ?? 'default',
    tokens,
    tokenTypes,
    merges: metadata.has('tokenizer.ggml.merges') ? strings(metadata.get('tokenizer.ggml.merges'), 'merges') : [],
    chatTemplate: text(metadata.get('tokenizer.chat_template')),
  }
}

function text(value: GgufValue | undefined): string | null {
  return typeof value === 'string' ? value : null
}

function strings(value: GgufValue | undefined, name: string): readonly string[] {
  if (!Array.isArray(value) || !value.every((item): item is string => typeof item === 'string')) {
    throw new GgufError(`tokenizer.ggml.${name} is not a list of strings`)
  }
  return value
}

function numbers(value: GgufValue | undefined): readonly number[] {
  if (value === undefined) return []
  if (!Array.isArray(value) || !value.every((item): item is number => typeof item === 'number')) {
    throw new GgufError('tokenizer.ggml.token_type is not a list of numbers')
  }
  return value
}

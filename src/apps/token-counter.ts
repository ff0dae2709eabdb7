import { fileURLToPath } from 'node:url'
import type { TokenizerSpec } from '#contract'
import { countChatPrompt, createTokenizer } from '#metering'
import type { Counter } from '#quality'

const MODEL_ROOT = fileURLToPath(new URL('../../models', import.meta.url))

/** Counts as the gateway counts a service. */
export function tokenCounter(spec: Exclude<TokenizerSpec, { kind: 'embedded' }>): Counter {
  const tokenizer = createTokenizer(spec, { modelRoot: MODEL_ROOT })
  return {
    method: tokenizer.method,
    text: (text) => tokenizer.count(text),
    chat: (messages) => countChatPrompt(tokenizer, messages),
  }
}

import type { Llama, LlamaGrammar } from 'node-llama-cpp'
import { invalidRequest } from './problems.ts'

const MAX_KEPT = 64

/** Keeps the grammars used last: clients repeat their schemas with every request. */
export function createGrammarShelf(llama: Llama) {
  const kept = new Map<string, LlamaGrammar>()
  return {
    /** Throws `invalidRequest` where the engine cannot follow the grammar. */
    async find(text: string): Promise<LlamaGrammar> {
      const known = kept.get(text)
      kept.delete(text)
      const grammar = known ?? (await parse(text))
      kept.set(text, grammar)
      const oldest = kept.keys().next()
      if (kept.size > MAX_KEPT && !oldest.done) kept.delete(oldest.value)
      return grammar
    },
  }

  async function parse(grammar: string): Promise<LlamaGrammar> {
    try {
      return await llama.createGrammar({ grammar })
    } catch (cause) {
      throw invalidRequest({ param: null, message: 'The schema is too complex for this engine.' }, { cause })
    }
  }
}

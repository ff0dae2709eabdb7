import type { LlamaContextSequence, SequenceEvaluateOptions, Token } from 'node-llama-cpp'
import type { Place } from './sequence-pool.ts'

/** One of the engine's parallel generations. */
export interface Sequence extends Place {
  /**
   * Reads the prompt, reusing what is computed already, and then yields one token after the other until the model ends its
   * answer. `onRead` is told how many prompt tokens were reused. Ending the iteration ends the computation.
   */
  generate(
    prompt: readonly Token[],
    options: SequenceEvaluateOptions,
    onRead: (cachedTokens: number) => void,
    signal: AbortSignal,
  ): AsyncGenerator<Token, void>
}

/** A prompt is read in steps of so many tokens, because only between two steps can reading be given up. */
const READ_STEP_TOKENS = 256

export function createSequence(sequence: LlamaContextSequence): Sequence {
  function reusable(prompt: readonly number[]): number {
    // At least one token has to be computed: the answer's first token comes out of it.
    return Math.min(sequence.compareContextTokens(prompt as Token[]).firstDifferentIndex, prompt.length - 1)
  }
  return {
    reusable,
    async *generate(prompt, options, onRead, signal) {
      try {
        await sequence.adaptStateToTokens(prompt.slice(0, reusable(prompt)), false)
        let at = sequence.nextTokenIndex
        onRead(at)
        while (prompt.length - at > READ_STEP_TOKENS) {
          await sequence.evaluateWithoutGeneratingNewTokens(prompt.slice(at, at + READ_STEP_TOKENS))
          at += READ_STEP_TOKENS
          signal.throwIfAborted()
        }
        yield* sequence.evaluate(prompt.slice(at), options)
      } catch (error) {
        if (!signal.aborted) await sequence.clearHistory()
        throw error
      }
    },
  }
}

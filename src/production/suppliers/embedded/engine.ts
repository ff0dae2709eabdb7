import {
  LlamaGrammarEvaluationState,
  LlamaLogLevel,
  type SequenceEvaluateOptions,
  type Token,
  getLlama,
} from 'node-llama-cpp'
import type { Log } from '#platform/log'
import { createGrammarShelf } from './grammar-shelf.ts'
import { contextLengthExceeded, modelNotFound } from './problems.ts'
import { createPromptRenderer } from './prompt.ts'
import type { ChatRequest } from './request.ts'
import { createPool } from './sequence-pool.ts'
import { createSequence } from './sequence.ts'
import { createStopFilter } from './stop-filter.ts'
import { createTextDecoder } from './text-decoder.ts'
import { createToolCallFilter } from './tool-call-filter.ts'

/** Asks for the engine's model whatever it is called, so that a configuration need not name a file that a setting replaces. */
const WHATEVER_IT_RUNS = 'embedded'

export interface EngineOptions {
  readonly modelPath: string
  /** The name that clients ask for. */
  readonly modelId: string
  /** Answers generated at the same time. */
  readonly sequences: number
  /** Requests that wait for a place before others are refused. */
  readonly maxWaiting: number
  /** Prompt and answer together; never more than the model was made for. */
  readonly contextTokens: number
  /** Yields integers in [0, 2³²): seeds for requests that state none. */
  readonly random: () => number
  /** Hears what the inference library has to say; never a prompt. */
  readonly log: Log
}

/** Tokens as the engine counted them. An end-of-answer marker is not part of the answer and not counted. */
export interface EngineUsage {
  readonly promptTokens: number
  /** Part of `promptTokens` whose computation was reused. */
  readonly cachedTokens: number
  readonly completionTokens: number
}

export type EngineEvent =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'tool_name'; readonly name: string }
  | { readonly kind: 'tool_arguments'; readonly text: string }
  | { readonly kind: 'end'; readonly finishReason: 'stop' | 'length' | 'tool_calls'; readonly usage: EngineUsage }

export interface Engine {
  readonly modelId: string
  readonly contextTokens: number
  /**
   * Generates one answer; the last event is `end`. Breaking off the iteration or aborting the signal frees the place after the
   * token in work. Throws the problems of `problems.ts`, and the signal's reason.
   */
  generate(request: ChatRequest, signal: AbortSignal): AsyncGenerator<EngineEvent, void>
  load(): { readonly sequences: number; readonly busy: number; readonly waiting: number }
  dispose(): Promise<void>
}

/** Loads the model on the CPU with one thread: with more, two engines on one machine stall each other at every barrier. */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const llama = await getLlama({
    gpu: false,
    build: 'never',
    skipDownload: true,
    logLevel: LlamaLogLevel.error,
    logger: (level, message) => options.log.warn({ level }, message.trim()),
    maxThreads: 1,
  })
  const model = await llama.loadModel({ modelPath: options.modelPath })
  const contextTokens = Math.min(options.contextTokens, model.trainContextSize)
  // The library keeps one cell of a sequence empty, so a context of exactly `contextTokens` needs one more.
  const context = await model.createContext({
    contextSize: contextTokens + 1,
    threads: 1,
    sequences: options.sequences,
  })
  const places = Array.from({ length: options.sequences }, () => createSequence(context.getSequence()))
  const pool = createPool(places, { maxWaiting: options.maxWaiting })
  const render = createPromptRenderer(model)
  const grammars = createGrammarShelf(llama)
  const { modelId } = options

  async function* generate(request: ChatRequest, signal: AbortSignal): AsyncGenerator<EngineEvent, void> {
    if (request.model !== modelId && request.model !== WHATEVER_IT_RUNS) throw modelNotFound({ model: request.model })
    const prompt = render(request.messages, request.goesOn)
    const room = contextTokens - prompt.length
    if (room < 1) throw contextLengthExceeded({ promptTokens: prompt.length, contextTokens })
    const maxTokens = Math.min(request.maxTokens ?? room, room)
    const grammar = request.shape.kind === 'text' ? undefined : await grammars.find(request.shape.grammar)
    const place = await pool.take(prompt, signal)
    try {
      const answer: Token[] = []
      let cachedTokens = 0
      const sampling: SequenceEvaluateOptions = {
        temperature: request.temperature,
        topP: request.topP,
        topK: 0,
        seed: request.seed ?? options.random(),
        ...(grammar && { grammarEvaluationState: new LlamaGrammarEvaluationState({ model, grammar }) }),
        ...penalties(request, answer),
      }
      const tokens = place.generate(prompt, sampling, (cached) => (cachedTokens = cached), signal)
      const decoder = createTextDecoder<Token>((some, before) => model.detokenize(some, false, before))
      const stops = createStopFilter(request.shape.kind === 'tool_call' ? [] : request.stop)
      const present = createPresenter(request)
      let finishReason: 'stop' | 'length' | 'tool_calls' = request.shape.kind === 'tool_call' ? 'tool_calls' : 'stop'
      let isStopped = false
      for await (const token of tokens) {
        signal.throwIfAborted()
        answer.push(token)
        const seen = stops.push(decoder.push(token))
        yield* present(seen.text)
        isStopped = seen.stopped
        if (isStopped) break
        if (answer.length >= maxTokens) {
          finishReason = 'length'
          break
        }
      }
      if (!isStopped) {
        const rest = stops.push(decoder.flush())
        yield* present(rest.stopped ? rest.text : rest.text + stops.flush())
      }
      yield {
        kind: 'end',
        finishReason,
        usage: { promptTokens: prompt.length, cachedTokens, completionTokens: answer.length },
      }
    } finally {
      pool.giveBack(place)
    }
  }

  return {
    modelId,
    contextTokens,
    generate,
    load: () => ({ sequences: options.sequences, busy: pool.busy, waiting: pool.waiting }),
    async dispose() {
      await context.dispose()
      await model.dispose()
      await llama.dispose()
    },
  }
}

function penalties(
  { presencePenalty, frequencyPenalty }: ChatRequest,
  answer: readonly Token[],
): Pick<SequenceEvaluateOptions, 'repeatPenalty'> {
  if (presencePenalty === 0 && frequencyPenalty === 0) return {}
  return { repeatPenalty: { punishTokens: () => [...answer], penalty: 1, presencePenalty, frequencyPenalty } }
}

function createPresenter({ shape }: ChatRequest): (text: string) => readonly EngineEvent[] {
  if (shape.kind !== 'tool_call') return (text) => (text === '' ? [] : [{ kind: 'text', text }])
  const filter = createToolCallFilter(shape.names)
  return (text) => (text === '' ? [] : filter.push(text))
}

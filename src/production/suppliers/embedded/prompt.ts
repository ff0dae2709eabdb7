import { type ChatHistoryItem, type LlamaModel, type Token, resolveChatWrapper } from 'node-llama-cpp'
import type { PromptMessage } from './request.ts'

/** Turns a conversation into the tokens that the model is to continue: an answer of its own, or (`goesOn`) the last message. */
export type PromptRenderer = (messages: readonly PromptMessage[], goesOn?: boolean) => Token[]

const ROLES = ['system', 'user', 'assistant', 'tool'] as const

/**
 * The shipped model's template is `<|role|>text<|end|>` per message and `<|assistant|>` last; any other model's template is
 * taken from its file. Text is tokenised apart from the markers, so nobody can write a marker into a message.
 */
export function createPromptRenderer(model: LlamaModel): PromptRenderer {
  return roleTokenRenderer(model) ?? templateRenderer(model)
}

function roleTokenRenderer(model: LlamaModel): PromptRenderer | undefined {
  const marker = (name: string) => {
    const tokens = model.tokenize(`<|${name}|>`, true)
    return tokens.length === 1 && model.isSpecialToken(tokens[0]) ? tokens[0] : undefined
  }
  const end = marker('end')
  const opening = new Map(ROLES.map((role) => [role, marker(role)]))
  const answer = opening.get('assistant')
  if (end === undefined || answer === undefined || [...opening.values()].includes(undefined)) return undefined
  return (messages, goesOn = false) => {
    const tokens: Token[] = []
    for (const [index, { role, text }] of messages.entries()) {
      const opener = opening.get(role)
      if (opener !== undefined) tokens.push(opener)
      for (const token of model.tokenize(text, false)) tokens.push(token)
      if (goesOn && index === messages.length - 1) return tokens
      tokens.push(end)
    }
    tokens.push(answer)
    return tokens
  }
}

function templateRenderer(model: LlamaModel): PromptRenderer {
  const template = resolveChatWrapper(model)
  return (messages, goesOn = false) => {
    const chatHistory: ChatHistoryItem[] = messages.map(({ role, text }) => {
      switch (role) {
        case 'system':
          return { type: 'system', text }
        case 'assistant':
          return { type: 'model', response: [text] }
        case 'user':
        case 'tool':
          return { type: 'user', text }
      }
    })
    if (!goesOn) chatHistory.push({ type: 'model', response: [] })
    return template.generateContextState({ chatHistory }).contextText.tokenize(model.tokenizer)
  }
}

export { type ChatMessage, countChatPrompt, promptTextOf } from './chat-prompt.ts'
export { GgufError } from './gguf-metadata.ts'
export { type Tokenizer, createTokenizer } from './tokenizer.ts'

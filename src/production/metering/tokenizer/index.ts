export { type ChatMessage, countChatPrompt } from './chat-prompt.ts'
export { type Tokenizer, createTokenizer } from './tokenizer.ts'

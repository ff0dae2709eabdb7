/**
 * What the provider does with one request. The text of an answer is the same for everybody, word by word, so that what one provider
 * began another can go on with; `says` makes it another text.
 */
export type Fault =
  | {
      readonly kind: 'answer'
      readonly words?: number
      readonly says?: string
      readonly firstWordMs?: number
      readonly wordMs?: number
      readonly done?: boolean
      readonly finishReason?: string
      readonly toolCall?: boolean
      readonly reasoning?: boolean
      /** A partial answer as the last message is refused, as some providers do. */
      readonly refusesPrefill?: boolean
    }
  | { readonly kind: 'status'; readonly status: number; readonly code?: string; readonly retryAfter?: string }
  | { readonly kind: 'reset' }
  | { readonly kind: 'never' }
  | {
      readonly kind: 'cut' | 'stall' | 'malformed'
      readonly afterWords: number
      readonly toolCall?: boolean
      readonly reasoning?: boolean
    }

/** Each of `faults` for `perMille` of the requests, by a seeded chance; the others are answered well. */
export interface Mix {
  readonly perMille: number
  readonly faults: readonly Fault[]
  readonly well: Fault
  readonly seed: number
}

/** What the provider saw of one request. */
export interface Sighting {
  readonly model: string
  readonly fault: Fault['kind']
  readonly atMs: number
  readonly lastRole: string
  readonly lastContent: string
  readonly maxTokens: number
  readonly continues: boolean
  /** `open` while it is being answered. */
  end: 'open' | 'answered' | 'broken_by_us' | 'client_gone'
  words: number
}

/** What a test says to the provider's process, and what it hears. */
export type ToProvider =
  | { readonly ask: number; readonly type: 'script'; readonly model: string; readonly faults: readonly Fault[] }
  | { readonly ask: number; readonly type: 'mix'; readonly model: string; readonly mix: Mix }
  | { readonly ask: number; readonly type: 'look' }
  /** What it saw until now is not needed any more. */
  | { readonly ask: number; readonly type: 'forget' }
export type FromProvider =
  | { readonly type: 'ready'; readonly port: number }
  | {
      readonly type: 'reply'
      readonly ask: number
      readonly sightings: readonly Sighting[]
      readonly connections: number
    }

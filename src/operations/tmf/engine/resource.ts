import type { ExactObject } from '#platform/json'

/** What an attribute holds; what each means is checked in `attributes.ts`. */
export type AttributeKind =
  | 'text'
  | 'texts'
  | 'time'
  | 'flag'
  | 'number'
  | 'money'
  | 'quantity'
  | 'period'
  | 'ref'
  | 'refs'
  | 'object'
  | 'objects'

export type Method = 'POST' | 'PATCH' | 'DELETE'

/** A lifecycle: where it begins, and where it may go from each state. A state that is no key ends it. */
export interface States {
  readonly attribute: string
  readonly initial: string
  readonly next: Readonly<Record<string, readonly string[]>>
}

/** A kind of TM Forum resource, as data. */
export interface ResourceType {
  /** As in the API's document: `ProductOffering`. */
  readonly name: string
  readonly methods: readonly Method[]
  /** What a POST must bring. */
  readonly required: readonly string[]
  readonly attributes: ReadonlyMap<string, AttributeKind>
  /** What we set and nobody sends. */
  readonly given: readonly string[]
  /** The time of the last change, among `given`. */
  readonly stamp?: string
  readonly states?: States
}

/** A resource without `id`, `href` and `@type`, which follow from where it is. */
export type Attributes = ExactObject

export interface Resource {
  readonly id: string
  readonly attributes: Attributes
}

/** `{ text: 'name description', flag: 'isBundle' }` → a map from attribute to kind. */
export function attributes(words: Partial<Record<AttributeKind, string>>): ReadonlyMap<string, AttributeKind> {
  return new Map(
    Object.entries(words).flatMap(([kind, names]) => names.split(' ').map((name) => [name, kind as AttributeKind])),
  )
}

export const path = ({ name }: ResourceType): string => name.charAt(0).toLowerCase() + name.slice(1)

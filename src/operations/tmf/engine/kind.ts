import type { ExactObject } from '#platform/json'
import type { Transaction } from '#platform/postgres'
import type { Own } from './own.ts'
import type { Attributes, Resource, ResourceType } from './resource.ts'

/** When and under which id something is created. */
export interface Creation {
  readonly id: string
  /** Which resource it is of all that were ever created here. */
  readonly number: number
  readonly nowMs: number
}

/** One kind of resource as it is served: its type, what our rooms hold of it, and what it does to them. */
export interface Kind {
  readonly type: ResourceType
  readonly own?: Own
  /**
   * Has our books follow what the BSS creates, in the same transaction, and returns the attributes that we set. It is the last thing that
   * the transaction does, since the ledger's one lock is held until it ends. Throws the problems of the rooms it calls.
   */
  readonly onCreate?: (tx: Transaction, draft: Attributes, creation: Creation) => Promise<ExactObject>
  /**
   * What follows when the request is kept, in transactions of its own; it is called again when the request is repeated, and must then
   * change nothing. Returns the attributes that are new.
   */
  readonly afterCreate?: (created: Resource) => Promise<ExactObject | undefined>
  /** The same for a change; `after` is what the resource will be. */
  readonly onPatch?: (
    tx: Transaction,
    change: { readonly id: string; readonly before: Attributes; readonly after: Attributes; readonly nowMs: number },
  ) => Promise<ExactObject>
  /** What a PATCH may change about one of ours, by the rules of its room. Undefined: there is none. */
  readonly ownPatch?: (id: string, changes: ExactObject) => Promise<Resource | undefined>
  /** What a DELETE gives back, before the resource is gone. */
  readonly onDelete?: (
    tx: Transaction,
    gone: { readonly id: string; readonly number: number; readonly attributes: Attributes },
  ) => Promise<void>
}

/** One Open API: the folder of its paths and what is in it. */
export interface Api {
  /** `productCatalogManagement` */
  readonly name: string
  readonly kinds: readonly Kind[]
}

import { isObject } from '#platform/json'
import type { ExactJson, ExactObject } from '#platform/json'

/** A merge patch (RFC 7386): null takes a member away, an object is merged, anything else replaces. */
export function merged(target: ExactObject, patch: ExactObject): ExactObject {
  const result = new Map<string, ExactJson>(Object.entries(target))
  for (const [name, change] of Object.entries(patch)) {
    if (change === null) result.delete(name)
    else if (isObject(change)) {
      const before = result.get(name)
      result.set(name, merged(isObject(before) ? before : {}, change))
    } else result.set(name, change)
  }
  return Object.fromEntries(result)
}

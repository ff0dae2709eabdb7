import { isDeepStrictEqual } from 'node:util'
import type { ApplyReply } from '#contract'
import type { YamlPath } from './yaml-source.ts'

export type Change = ApplyReply['changes'][number]

/** Tells what was done with an object. */
export type Note = (kind: Change['kind'], id: string, action: Change['action']) => void

/** Tells a mistake at its place. */
export type SayAt = (path: YamlPath, message: string) => void

export function actionFor(existing: object | undefined, wanted: object): 'created' | 'updated' | 'unchanged' {
  if (existing === undefined) return 'created'
  return isDeepStrictEqual({ ...existing }, { ...wanted }) ? 'unchanged' : 'updated'
}

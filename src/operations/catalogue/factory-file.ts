import { DECIMAL_FIELDS, FactoryFile } from '#contract'
import type { FactoryMistake } from '#contract'
import { explainIssue } from './factory-issues.ts'
import { partsOf } from './factory-parts.ts'
import type { FactoryParts } from './factory-parts.ts'
import { checkReferences } from './factory-references.ts'
import type { KnownObjects } from './factory-references.ts'
import { readYaml } from './yaml-source.ts'
import type { YamlPath, YamlSource } from './yaml-source.ts'

export interface ParsedFactoryFile {
  /** Present only if there is not a single mistake. */
  readonly file: FactoryFile | undefined
  /** All of them, in no order: `reported` makes them fit to be told. */
  readonly mistakes: readonly FactoryMistake[]
  /** What is right by itself, also where the file as a whole is not. */
  readonly parts: FactoryParts
  /** Places a mistake found later, when the file is compared with what is in force. */
  readonly mistake: YamlSource['mistake']
}

/**
 * Reads and checks a `factory.yaml`, reporting every mistake with its place. Pure: `nowMs` decides which price sheets are in
 * force. Prices and amounts are taken from the source text.
 */
export function parseFactoryFile(
  text: string,
  fileName: string,
  { nowMs, known }: { readonly nowMs: number; readonly known: KnownObjects },
): ParsedFactoryFile {
  const source = readYaml(text, fileName, DECIMAL_FIELDS)
  const mistakes: FactoryMistake[] = [...source.mistakes]
  const say = (path: YamlPath, message: string, of?: 'key' | 'value') =>
    mistakes.push(source.mistake(path, message, of))
  let file: FactoryFile | undefined

  if (source.value !== undefined) {
    const parsed = FactoryFile.safeParse(source.value ?? {})
    if (parsed.success) file = parsed.data
    else
      for (const issue of parsed.error.issues)
        for (const { path, message, of } of explainIssue(issue, source.value)) say(path, message, of)
    checkReferences(source.value, known, nowMs, say)
  }

  return {
    file: mistakes.length === 0 ? file : undefined,
    mistakes,
    parts: partsOf(source.value),
    mistake: source.mistake,
  }
}

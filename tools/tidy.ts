/**
 * House rules that a linter does not know: what a room must contain, which names may appear where, how long a file may be.
 * Run: `node tools/tidy.ts`
 */
import { globSync, readFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseSync } from 'oxc-parser'
import { readDoors, roomOf } from './architecture.ts'
import type { Doors } from './architecture.ts'

const LONGEST_FILE = 400
const LONG_FILE = 200
const LONGEST_README = 80

interface SourceFile {
  readonly path: string
  readonly text: string
  /** The text with comments blanked out, so that prose cannot break a rule about code. */
  readonly code: string
}

interface Rule {
  readonly sentence: string
  readonly applies: (path: string) => boolean
  readonly pattern: RegExp
  /** Look into comments too. */
  readonly comments?: true
}

const isTest = (path: string): boolean => /(\.test|\.child|[-.]fixture)\.tsx?$/.test(path) || path.startsWith('test/')
const isServer = (path: string): boolean => path.startsWith('src/') && !isTest(path) && !path.startsWith('src/apps/')
const isCode = (path: string): boolean => /\.(ts|tsx|mjs)$/.test(path)

export const rules: readonly Rule[] = [
  {
    sentence: 'process.env is read in platform/config, apps and tests only',
    applies: (path) => isServer(path) && !path.startsWith('src/platform/config/'),
    pattern: /\bprocess\s*\.\s*env\b|\bprocess\[/,
  },
  {
    sentence: 'time comes from a Clock (platform/clock)',
    applies: (path) => isServer(path) && !path.startsWith('src/platform/clock/'),
    pattern: /\bDate\.now\b|\bnew Date\(\s*\)|\bnew Date\b(?!\()/,
  },
  {
    sentence: 'randomness comes from platform/crypto',
    applies: isCode,
    pattern: /\bMath\.random\b/,
  },
  {
    sentence: 'no test is skipped or singled out',
    applies: isTest,
    pattern:
      /\b(?:test|it|describe|suite)\.(?:only|skip|skipIf|runIf|todo|fails)\b|\b(?:xit|xtest|xdescribe|fit|fdescribe)\(/,
  },
  {
    sentence: 'there is no any',
    applies: (path) => /\.tsx?$/.test(path),
    pattern: /(?::|\bas)\s*any\b(?!\s*\()|[<,|&]\s*any\s*(?:[>|&\]]|\[\])/,
  },
  {
    sentence: 'the checkers are not silenced',
    applies: isCode,
    pattern: /@ts-(?:ignore|nocheck|expect-error)|(?:oxlint|eslint)-disable|(?:oxfmt|v8)[- ]ignore/,
    comments: true,
  },
  {
    sentence: 'no path of one particular machine',
    applies: () => true,
    pattern: /(?<![\w.:/@-])\/(?:home|root|Users|work|workspace|mnt|tmp)\/[\w.-]+/,
    comments: true,
  },
]

/** Which rules a file breaks, each with the first line that does. */
export function brokenRules(file: SourceFile): string[] {
  return rules.flatMap(({ sentence, applies, pattern, comments }) => {
    if (!applies(file.path)) return []
    const text = comments ? file.text : file.code
    const match = pattern.exec(text)
    return match ? [`${file.path}:${lineOf(text, match.index)}: ${sentence}`] : []
  })
}

const lineOf = (text: string, index: number): number => text.slice(0, index).split('\n').length

/** Reads a file for the rules. Text that is not code is taken as it is. */
export function sourceFile(path: string, text: string): SourceFile {
  if (!isCode(path)) return { path, text, code: text }
  const { comments, errors } = parseSync(path, text)
  if (errors[0]) throw new Error(`${path}: ${errors[0].message}`)
  let code = text
  for (const { start, end } of comments) {
    code = code.slice(0, start) + code.slice(start, end).replaceAll(/[^\n]/g, ' ') + code.slice(end)
  }
  return { path, text, code }
}

/** Tables are named `schema.table`; a store may name those of its own room's schema only. */
const TABLE =
  /\b(?:from|join|into|update|table|truncate|references|using)\s+(?:only\s+)?([a-z_][a-z0-9_]*)\.([a-z_][a-z0-9_]*)/gi
/** Only names that are a room's schema count: what follows `from` may also be a column (`is distinct from e.n`). */
const schemaOf = (room: string): string => basename(room).replaceAll('-', '_')

export function foreignSchemas(file: SourceFile, doors: Doors): string[] {
  const room = roomOf(file.path, doors)
  if (!room || isTest(file.path) || !file.path.startsWith('src/operations/')) return []
  const schemas = new Set(['platform', 'public', ...Object.keys(doors).map(schemaOf)])
  const strangers = new Map<string, number>()
  for (const match of file.code.matchAll(TABLE)) {
    const schema = match[1]?.toLowerCase() ?? ''
    if (schema !== schemaOf(room) && schemas.has(schema) && !strangers.has(schema)) strangers.set(schema, match.index)
  }
  return [...strangers].map(
    ([schema, index]) =>
      `${file.path}:${lineOf(file.code, index)}: ${room} names the schema ${schema}, which is not its own`,
  )
}

/** What is missing in a room, given the paths that exist. */
export function missingFurniture(paths: ReadonlySet<string>, doors: Doors): string[] {
  return Object.values(doors).flatMap((door) => {
    const folder = dirname(door)
    return [
      ...(paths.has(door) ? [] : [`${door}: the room has no door`]),
      ...(paths.has(`${folder}/README.md`) ? [] : [`${folder}: the room has no README.md`]),
    ]
  })
}

/** Complaints and notes about length. */
export function lengths({ path, text }: SourceFile): { complaint?: string; note?: string } {
  const lines = text.split('\n').length - 1
  if (/^src\/.*README\.md$/.test(path) && lines > LONGEST_README)
    return { complaint: `${path}: ${lines} lines; a room's README is one page` }
  if (!isCode(path)) return {}
  if (lines > LONGEST_FILE) return { complaint: `${path}: ${lines} lines; at most ${LONGEST_FILE}` }
  if (lines > LONG_FILE && !isTest(path)) return { note: `${path}: ${lines} lines` }
  return {}
}

export function inspect(files: readonly SourceFile[], doors: Doors): { complaints: string[]; notes: string[] } {
  const complaints = missingFurniture(new Set(files.map((file) => file.path)), doors)
  const notes: string[] = []
  for (const file of files) {
    const { complaint, note } = lengths(file)
    complaints.push(...brokenRules(file), ...foreignSchemas(file, doors), ...(complaint ? [complaint] : []))
    if (note) notes.push(note)
  }
  if (files.length < 50) complaints.push(`only ${files.length} files seen: the check itself is broken`)
  return { complaints, notes }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const paths = globSync(
    [
      '{src,web,test,bench,sim,tools,bin,docs,examples,migrations}/**/*.{ts,tsx,mjs,md,json,yaml,sql,css,html}',
      '*.{md,json,ts}',
      '.ci/run',
    ],
    { exclude: ['web/dist/**', 'package-lock.json'] },
  ).map((path) => path.replaceAll('\\', '/'))
  const files = paths.map((path) => sourceFile(path, readFileSync(path, 'utf8')))
  const { complaints, notes } = inspect(files, readDoors(readFileSync('package.json', 'utf8')))
  if (notes.length > 0) console.log(`longer than ${LONG_FILE} lines: ${notes.join(', ')}`)
  console.log(complaints.length > 0 ? complaints.join('\n') : `${files.length} files are tidy`)
  process.exitCode = complaints.length > 0 ? 1 : 0
}

/**
 * The map of who may know whom, and the check that keeps it true. A room lists the rooms it may know; everything not listed is
 * forbidden. Run: `node tools/architecture.ts`
 */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseSync } from 'oxc-parser'

const LEAF = ['kernel', 'contract'] as const
/** What every room above the platform may use. */
const BASE = [
  ...LEAF,
  'platform/clock',
  'platform/config',
  'platform/crypto',
  'platform/http',
  'platform/journal',
  'platform/json',
  'platform/log',
  'platform/metrics',
  'platform/postgres',
] as const
/** Production rooms run beside the traffic and have no database. */
const FAST = BASE.filter((room) => room !== 'platform/postgres')

/** The map. Names are the doors of package.json without `#`; the order is from the bottom up. */
export const rooms: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  contract: ['kernel'],
  'platform/clock': ['kernel'],
  'platform/config': ['kernel'],
  'platform/log': ['kernel'],
  'platform/crypto': ['kernel', 'platform/clock'],
  'platform/json': ['kernel'],
  'platform/journal': ['kernel', 'platform/log'],
  'platform/metrics': ['kernel'],
  'platform/http': ['kernel', 'platform/log'],
  'platform/postgres': ['kernel', 'platform/log'],
  admission: FAST,
  holds: FAST,
  metering: FAST,
  'protocols/openai-chat': [...FAST, 'metering'],
  'suppliers/embedded': FAST,
  scheduler: [...FAST, 'suppliers/embedded'],
  gateway: [...FAST, 'admission', 'holds', 'metering', 'protocols/openai-chat', 'scheduler'],
  identity: BASE,
  ledger: BASE,
  charging: [...BASE, 'ledger'],
  catalogue: [...BASE, 'identity', 'ledger', 'charging'],
  noc: BASE,
  ordering: [...BASE, 'identity', 'charging', 'catalogue'],
  agreements: [...BASE, 'ledger', 'catalogue'],
  billing: [...BASE, 'identity', 'ledger', 'charging', 'catalogue'],
  quality: [...BASE, 'metering', 'identity', 'ledger', 'charging'],
  settlement: [...BASE, 'identity', 'ledger', 'charging'],
  tmf: [...BASE, 'identity', 'ledger', 'charging', 'catalogue', 'ordering'],
}

export interface Import {
  readonly from: string
  /** A path from the project's root, or a package's name. */
  readonly to: string
  readonly typeOnly: boolean
  /** What is imported by name; `*` for the whole and for the default. */
  readonly names: readonly string[]
}

/** Door → the file behind it, from package.json: `ledger` → `src/operations/ledger/index.ts`. */
export type Doors = Readonly<Record<string, string>>

export function readDoors(manifest: string): Doors {
  const { imports } = JSON.parse(manifest) as { readonly imports: Readonly<Record<string, string>> }
  return Object.fromEntries(Object.entries(imports).map(([name, path]) => [name.slice(1), normalize(path)]))
}

function resolve(from: string, specifier: string, doors: Doors): string {
  if (specifier.startsWith('#')) return doors[specifier.slice(1)] ?? specifier
  if (specifier.startsWith('.')) return normalize(join(dirname(from), specifier))
  return specifier
}

/** Every import and re-export of a file, dynamic ones with a plain string included. */
export function importsOf(file: string, source: string, doors: Doors): Import[] {
  const { module, errors } = parseSync(file, source)
  if (errors[0]) throw new Error(`${file}: ${errors[0].message}`)
  const found = module.staticImports.map((statement) => ({
    specifier: statement.moduleRequest.value,
    typeOnly: statement.entries.length > 0 && statement.entries.every((entry) => entry.isType),
    names: statement.entries.map((entry) => entry.importName.name ?? '*'),
  }))
  for (const { entries } of module.staticExports) {
    for (const { moduleRequest, isType } of entries) {
      if (moduleRequest) found.push({ specifier: moduleRequest.value, typeOnly: isType, names: ['*'] })
    }
  }
  for (const { moduleRequest } of module.dynamicImports) {
    const literal = /^(['"`])(.*)\1$/s.exec(source.slice(moduleRequest.start, moduleRequest.end))
    if (literal?.[2]) found.push({ specifier: literal[2], typeOnly: false, names: ['*'] })
  }
  return found.map(({ specifier, ...rest }) => ({ from: file, to: resolve(file, specifier, doors), ...rest }))
}

/** The room that a path lies in: the door with the deepest folder around it. */
export function roomOf(path: string, doors: Doors): string | undefined {
  let best: string | undefined
  let depth = 0
  for (const [room, door] of Object.entries(doors)) {
    const folder = `${dirname(door)}/`
    if (path.startsWith(folder) && folder.length > depth) {
      best = room
      depth = folder.length
    }
  }
  return best
}

/** Tests, what only tests use, and measurements. */
const isTest = (path: string): boolean =>
  /(\.test|\.child|[-.]fixture)\.tsx?$/.test(path) || /^(test|bench|sim|web\/dev-mock)\//.test(path)
const isApp = (path: string): boolean => path.startsWith('src/apps/')
const isPure = (path: string): boolean => path.startsWith('src/kernel/') || /\/model(\.ts|\/)/.test(path)
const isStore = (path: string): boolean =>
  /\/(store|store-[a-z-]+|[a-z-]+-store)\.ts$/.test(path) || path.includes('/store/')
const isProduction = (path: string): boolean => path.startsWith('src/production/')
const isOperations = (path: string): boolean => path.startsWith('src/operations/')

/** One sentence for the rule that an import breaks, or nothing. */
export function violation(each: Import, doors: Doors): string | undefined {
  const { from, to, typeOnly } = each
  if (to.startsWith('#')) return `there is no door ${to} in package.json`
  const here = roomOf(from, doors)
  const there = roomOf(to, doors)
  if (from.startsWith('web/')) return isTest(from) ? undefined : webViolation(to, there)
  if (isApp(to) && !isApp(from) && !isTest(from)) return 'nobody imports an app'
  if (isTest(to) && !isTest(from)) return 'production code does not import tests'
  if (to.startsWith('web/') && !isTest(from)) return 'the server does not import the console'
  if (there && there !== here) {
    if (to !== doors[there]) return 'another room is entered by its door'
    if (isTest(from) || isApp(from)) return undefined
    if (isProduction(from) && isOperations(to)) return 'production never imports operations: it gets snapshots'
    if (here && !rooms[here]?.includes(there)) return `${here} does not know ${there}`
  }
  if (isTest(from)) return undefined
  if (isPure(from) && isImpure(each, doors)) return IMPURE
  const bringsSql = there === 'platform/postgres' && !typeOnly && each.names.some((name) => SQL_NAMES.has(name))
  if (bringsSql && isOperations(from) && !isStore(from)) return 'SQL lives in store.ts'
  if ((to === 'pg' || to.startsWith('pg/')) && here !== 'platform/postgres') return 'pg is known in one place'
  return undefined
}

/** What a statement is made with; the rest of the room (states of failures, types) may be known by a service. */
const SQL_NAMES = new Set(['sql', 'script', '*'])

const IMPURE = 'the core is pure: it computes, it never does I/O'
/** Digests are arithmetic that Node happens to have. */
const DIGESTS = new Set(['createHash', 'hash'])

/** Whether an import is more than a pure file may have. Files of the own room are looked into by `hiddenImpurities`. */
function isImpure({ from, to, typeOnly, names }: Import, doors: Doors): boolean {
  if (typeOnly || to.startsWith('src/kernel/')) return false
  if (to === 'node:crypto') return !names.every((name) => DIGESTS.has(name))
  return from.startsWith('src/kernel/') || roomOf(to, doors) !== roomOf(from, doors) || isStore(to)
}

/** A pure file is only as pure as the files of its room that it uses: follows them and reports the first that is not. */
export function hiddenImpurities(imports: readonly Import[], doors: Doors): string[] {
  const byFile = Map.groupBy(imports, (each) => each.from)
  const complaints: string[] = []
  for (const start of byFile.keys()) {
    if (!isPure(start) || isTest(start)) continue
    const seen = new Set([start])
    const waiting = [start]
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      for (const each of byFile.get(file) ?? []) {
        if (file !== start && isImpure(each, doors)) complaints.push(`${start} → ${file} → ${each.to}: ${IMPURE}`)
        if (each.typeOnly || seen.has(each.to) || roomOf(each.to, doors) !== roomOf(start, doors)) continue
        seen.add(each.to)
        waiting.push(each.to)
      }
    }
  }
  return complaints
}

function webViolation(to: string, there: string | undefined): string | undefined {
  if (to.startsWith('node:')) return 'the console runs in a browser'
  if (!to.startsWith('src/')) return undefined
  if (there !== 'contract' && there !== 'kernel') return 'the console sees the contract and the kernel only'
  return undefined
}

/** What is wrong with the map itself. */
export function mapFaults(map: typeof rooms, doors: Doors): string[] {
  const names = Object.keys(map)
  const faults: string[] = []
  names.forEach((name, index) => {
    if (!doors[name]) faults.push(`${name} is on the map, but has no door in package.json`)
    for (const known of map[name] ?? []) {
      if (!(known in map)) faults.push(`${name} lists ${known}, which is not on the map`)
      else if (names.indexOf(known) >= index) faults.push(`${name} lists ${known}, which is not below it`)
    }
  })
  for (const door of Object.keys(doors)) if (!(door in map)) faults.push(`#${door} is a door to no room of the map`)
  return faults
}

/** A file that belongs to no room, where every file must. */
export function isHomeless(path: string, doors: Doors): boolean {
  return path.startsWith('src/') && !isApp(path) && roomOf(path, doors) === undefined
}

const FEWEST_FILES = 40
const FEWEST_IMPORTS = 100

/** All complaints about a set of files. Seeing too few is a complaint, so that the check cannot pass by looking nowhere. */
export function inspect(files: ReadonlyMap<string, string>, doors: Doors): { complaints: string[]; imports: number } {
  const complaints = mapFaults(rooms, doors)
  const all: Import[] = []
  for (const [file, source] of files) {
    if (isHomeless(file, doors)) complaints.push(`${file}: a folder that is not on the map`)
    for (const each of importsOf(file, source, doors)) {
      all.push(each)
      const why = violation(each, doors)
      if (why) complaints.push(`${each.from} → ${each.to}: ${why}`)
    }
  }
  complaints.push(...hiddenImpurities(all, doors))
  if (files.size < FEWEST_FILES || all.length < FEWEST_IMPORTS) {
    complaints.push(`only ${files.size} files and ${all.length} imports seen: the check itself is broken`)
  }
  return { complaints, imports: all.length }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const paths = globSync(
    ['src/**/*.ts', 'web/**/*.{ts,tsx}', 'test/**/*.ts', 'bench/**/*.ts', 'sim/**/*.ts', 'tools/**/*.ts'],
    {
      exclude: ['web/dist/**'],
    },
  )
  const files = new Map(paths.map((path) => [path.replaceAll('\\', '/'), readFileSync(path, 'utf8')]))
  const { complaints, imports } = inspect(files, readDoors(readFileSync('package.json', 'utf8')))
  console.log(complaints.length > 0 ? complaints.join('\n') : `${imports} imports in ${files.size} files keep the map`)
  process.exitCode = complaints.length > 0 ? 1 : 0
}

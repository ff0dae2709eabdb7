/** `node tools/run.mjs file.ts …`: runs a TypeScript program of the project under the project's own Node. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { SetupError, asProgram, prepare, runNode } from './setup.mjs'

await asProgram(async () => {
  const [file, ...args] = process.argv.slice(2)
  if (!file) throw new SetupError('usage: node tools/run.mjs <file.ts> [arguments]')
  if (!existsSync(file)) throw new SetupError(`${file} does not exist`)
  return runNode(await prepare(), [resolve(file), ...args])
})

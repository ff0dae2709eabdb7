#!/usr/bin/env node
/** The command line of the factory. It runs under the project's own Node, whichever Node started this file. */
import { join } from 'node:path'
import { asProgram, nodeBinary, prepare, root, runNode } from '../tools/setup.mjs'

await asProgram(async () => {
  const node = nodeBinary() ?? (await prepare())
  return runNode(node, [join(root, 'src', 'apps', 'cli.ts'), ...process.argv.slice(2)])
})

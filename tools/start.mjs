/** `npm start`: prepares what is missing and runs the whole factory in the foreground. */
import { join } from 'node:path'
import { asProgram, prepare, root, runNode } from './setup.mjs'

await asProgram(async () => {
  const node = await prepare({ console: true })
  return runNode(node, [join(root, 'src', 'apps', 'all-in-one.ts'), ...process.argv.slice(2)], { ipc: true })
})

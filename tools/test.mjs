/** `npm test`: the checks and then every test. The last line is `N passed, N failed`; any failure, or no test at all, exits non-zero. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { check } from './check.mjs'
import { asProgram, prepare, root, runNode } from './setup.mjs'

await asProgram(async () => {
  const node = await prepare({ console: true })
  const filters = process.argv.slice(2)
  const failedChecks = filters.length > 0 ? [] : await check(node)
  const report = join(root, '.cache', 'vitest.json')
  mkdirSync(join(root, '.cache'), { recursive: true })
  rmSync(report, { force: true })
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const code = await runNode(node, [
    vitest,
    'run',
    '--root',
    root,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...filters,
  ])
  if (failedChecks.length > 0) console.log(`failed checks: ${failedChecks.join(', ')}`)
  const { passed, failed, skipped, broken } = count(report)
  if (broken > 0) console.log(`${broken} test files could not be run`)
  const line = `${passed} passed, ${failed + broken} failed`
  console.log(skipped > 0 ? `${line}, ${skipped} skipped` : line)
  return code === 0 && failed === 0 && broken === 0 && passed > 0 && failedChecks.length === 0 ? 0 : 1
})

/** Real numbers from vitest's own report; none at all if it died before writing one. */
function count(report) {
  if (!existsSync(report)) return { passed: 0, failed: 0, skipped: 0, broken: 1 }
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
    readFileSync(report, 'utf8'),
  )
  const broken = testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every((each) => each.status !== 'failed'),
  ).length
  return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + (numTodoTests ?? 0), broken }
}

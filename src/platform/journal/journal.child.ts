/** Appends until it is killed; prints the number of each entry once it is durable. Run by journal.test.ts. */
import { writeSync } from 'node:fs'
import { openJournal } from './journal.ts'

const [dir = ''] = process.argv.slice(2)
try {
  const journal = await openJournal(dir, { segmentBytes: 65_536 })
  let seq = journal.recovered.at(-1)?.seq ?? 0
  const one = (): void => {
    const expected = ++seq
    journal.append(`entry ${expected} ${'x'.repeat((expected * 37) % 900)}`, (error) => {
      writeSync(1, error ? `failed ${error.message}\n` : `${expected}\n`)
      if (!error) one()
    })
  }
  for (let i = 0; i < 8; i++) one()
} catch (error) {
  writeSync(1, `failed to open: ${String(error)}\n`)
}

import { spawn } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { realDisk, type Disk } from './disk.ts'
import { openJournal, type JournalOptions } from './journal.ts'
import type { Journal, JournalDamage } from './types.ts'

const made: string[] = []
afterEach(() => {
  for (const dir of made.splice(0)) fs.rmSync(dir, { recursive: true, force: true })
})

/** Tests that are not about the disk itself may run where a sync costs nothing. */
const memory = fs.existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

function freshDir(where = tmpdir()): string {
  const dir = fs.mkdtempSync(join(where, 'journal-'))
  made.push(dir)
  return dir
}

const small: JournalOptions = { segmentBytes: 4096 }
const durably = (journal: Journal, payload: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const seq = journal.append(payload, (error) => (error ? reject(error) : resolve(seq)))
  })
const texts = (journal: Journal): string[] => journal.recovered.map(({ payload }) => payload.toString())
const segmentsOf = (dir: string): string[] =>
  fs
    .readdirSync(dir)
    .filter((name) => name.endsWith('.seg'))
    .sort()

test('entries come back in order, with their numbers and every character', async () => {
  const dir = freshDir()
  const payloads = ['', 'a', '{"名":"值"}', '🙂'.repeat(100), 'x'.repeat(3_000)]
  {
    await using journal = await openJournal(dir, small)
    expect(journal.recovered).toEqual([])
    expect(await Promise.all(payloads.map((payload) => durably(journal, payload)))).toEqual([1, 2, 3, 4, 5])
  }
  await using again = await openJournal(dir, small)
  expect(texts(again)).toEqual(payloads)
  expect(again.recovered.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5])
  expect(await durably(again, 'next')).toBe(6)
})

test('callbacks come in the order of the entries, whatever is appended in between', async () => {
  await using journal = await openJournal(freshDir(), small)
  const order: number[] = []
  await new Promise<void>((done) => {
    const one = (depth: number): void => {
      const seq = journal.append('x'.repeat(500), () => {
        order.push(seq)
        for (let i = 0; i < 2 && depth < 6; i++) one(depth + 1)
        if (order.length === 127) done()
      })
    }
    one(0)
  })
  expect(order).toEqual(Array.from({ length: 127 }, (_, i) => i + 1))
})

test('an entry that no segment can hold is refused at once and breaks nothing', async () => {
  await using journal = await openJournal(freshDir(), small)
  expect(() => journal.append('x'.repeat(4096))).toThrow(RangeError)
  expect(await durably(journal, 'fine')).toBe(1)
})

// A crash can leave any prefix of the last write; here every file length and every flipped byte is tried.
test('cut or damaged at any byte, recovery returns an exact prefix with all that precedes the damage', async () => {
  const dir = freshDir()
  const payloads = ['one', 'zwei', 'trois!', 'four'.repeat(5), 'five']
  {
    await using journal = await openJournal(dir, small)
    await durably(journal, payloads[0] ?? '')
    // One write for these, so that a cut inside it is a torn batch.
    await Promise.all(payloads.slice(1, 4).map((payload) => durably(journal, payload)))
    await durably(journal, payloads[4] ?? '')
  }
  const [name = ''] = segmentsOf(dir)
  const good = fs.readFileSync(join(dir, name))
  /** Where each entry ends: header 64, floor frame 24, then 24 per frame. */
  const ends: number[] = []
  payloads.reduce((at, payload) => {
    ends.push(at + 24 + payload.length)
    return at + 24 + payload.length
  }, 64 + 24)
  const last = ends.at(-1) ?? 0
  let tried = 0
  for (let at = 0; at < last; at++) {
    for (const damage of ['cut', 'zero', 'flip'] as const) {
      const bytes = damage === 'cut' ? good.subarray(0, at) : Buffer.from(good)
      if (damage === 'zero') bytes.fill(0, at)
      if (damage === 'flip') bytes.writeUInt8(bytes.readUInt8(at) ^ 0x10, at)
      const copy = freshDir(memory)
      fs.writeFileSync(join(copy, name), bytes)
      const reports: JournalDamage[] = []
      const journal = await openJournal(copy, { ...small, onDamage: (report) => reports.push(report) })
      // The file's head guards 16 bytes and is padded to 64; the discard mark comes next. Without either nothing can be trusted.
      const unreadable = damage === 'flip' && (at < 16 || (at >= 64 && at < 88))
      const isHarmless = damage === 'flip' && at >= 16 && at < 64
      const expected = unreadable
        ? []
        : isHarmless
          ? payloads
          : payloads.slice(0, ends.filter((end) => end <= at).length)
      expect(texts(journal), `${damage} at ${at}`).toEqual(expected)
      // What only damage can do is reported: a bad head, or a bad entry that a later write proves acknowledged. A torn tail is not.
      const isProven =
        damage === 'flip' ? unreadable || (!isHarmless && at < (ends[3] ?? 0)) : at < (damage === 'cut' ? 64 : 16)
      expect(reports.length, `report of ${damage} at ${at}`).toBe(isProven ? 1 : 0)
      // And the journal goes on from there, durably.
      expect(await durably(journal, 'after')).toBe(expected.length + 1)
      await journal[Symbol.asyncDispose]()
      await using again = await openJournal(copy, small)
      expect(texts(again)).toEqual([...expected, 'after'])
      tried++
      fs.rmSync(copy, { recursive: true })
    }
  }
  expect(tried).toBe(last * 3)
}, 120_000)

test('acknowledged entries that cannot be read keep the journal shut unless damage is accepted, and are kept aside', async () => {
  const dir = freshDir()
  {
    await using journal = await openJournal(dir, small)
    for (let i = 0; i < 12; i++) await durably(journal, `${i}`.padEnd(900, '.'))
  }
  const [first = ''] = segmentsOf(dir)
  fs.rmSync(join(dir, segmentsOf(dir)[1] ?? ''))
  await expect(openJournal(dir, small)).rejects.toThrow(/after seq 4 cannot be read/)
  const reports: JournalDamage[] = []
  {
    await using journal = await openJournal(dir, { ...small, onDamage: (report) => reports.push(report) })
    expect(journal.recovered).toHaveLength(4)
    expect(reports).toMatchObject([{ afterSeq: 4 }])
    expect(fs.readdirSync(dir).filter((name) => name.endsWith('.damaged')).length).toBeGreaterThan(0)
    expect(await durably(journal, 'new')).toBe(5)
  }
  await using again = await openJournal(dir, small)
  expect(again.recovered).toHaveLength(5)
  expect(fs.existsSync(join(dir, first))).toBe(true)
})

test('the id of a journal stays while nothing is lost, and is another as soon as anything may be', async () => {
  const dir = freshDir()
  const open = async () => {
    await using journal = await openJournal(dir, { ...small, onDamage: () => {} })
    for (let i = 0; i < 12; i++) await durably(journal, `${i}`.padEnd(900, '.'))
    return journal.id
  }
  const first = await open()
  expect(await open()).toBe(first)
  // A crash may leave the file half written under its temporary name.
  fs.writeFileSync(join(dir, 'identity.tmp'), 'half')
  expect(await open()).toBe(first)
  fs.rmSync(join(dir, segmentsOf(dir)[1] ?? ''))
  const damaged = await open()
  expect(damaged).not.toBe(first)
  expect(await open()).toBe(damaged)
  for (const file of segmentsOf(dir)) fs.rmSync(join(dir, file))
  const emptied = await open()
  expect([first, damaged]).not.toContain(emptied)
  fs.rmSync(join(dir, 'identity'))
  expect([first, damaged, emptied]).not.toContain(await open())
})

test('bytes of an earlier life of a recycled segment are never taken for entries', async () => {
  const dir = freshDir()
  for (let life = 0; life < 12; life++) {
    await using journal = await openJournal(dir, small)
    // Same lengths in every life, so that old frames lie exactly where a reader looks next.
    const lengths = life % 3 === 0 ? 3 : 9
    expect(texts(journal).every((text) => text.startsWith(`${life - 1}/`))).toBe(true)
    let last = 0
    journal.discardBefore((journal.recovered.at(-1)?.seq ?? 0) + 1)
    for (let i = 0; i < lengths; i++) last = await durably(journal, `${life}/${i}`.padEnd(700, '.'))
    expect(last).toBeGreaterThan(0)
  }
  expect(segmentsOf(dir).length).toBeLessThanOrEqual(5)
})

test('append, discard, crash and reopen behave like a list of entries with a mark', async () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('append' as const),
        sizes: fc.array(fc.nat(1_500), { minLength: 1, maxLength: 8 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('discard' as const), share: fc.nat(110) }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'reopen' as const }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'crash' as const }) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      let dir = freshDir(memory)
      let journal = await openJournal(dir, small)
      const model: Array<{ seq: number; text: string }> = []
      let mark = 1
      let nextSeq = 1
      for (const each of steps) {
        if (each.kind === 'append') {
          const batch = each.sizes.map((size) => ({ text: `${nextSeq}:`.padEnd(size, 'é'), seq: nextSeq++ }))
          const seqs = await Promise.all(batch.map(({ text }) => durably(journal, text)))
          expect(seqs).toEqual(batch.map(({ seq }) => seq))
          model.push(...batch)
        } else if (each.kind === 'discard') {
          mark = Math.max(mark, Math.min(nextSeq, Math.floor((nextSeq * each.share) / 100)))
          journal.discardBefore(mark)
        } else {
          if (each.kind === 'crash') {
            // What a dead process leaves: the files as they are at this instant.
            const copy = freshDir(memory)
            fs.cpSync(dir, copy, { recursive: true, filter: (path) => !path.endsWith('lock') })
            await journal[Symbol.asyncDispose]()
            dir = copy
          } else await journal[Symbol.asyncDispose]()
          journal = await openJournal(dir, small)
          const found = journal.recovered.map(({ seq, payload }) => ({ seq, text: payload.toString() }))
          const needed = model.filter(({ seq }) => seq >= mark)
          // A mark that a crash forgot may bring discarded entries back; nothing needed is ever missing.
          expect(found.slice(found.length - needed.length)).toEqual(needed)
          expect(found).toEqual(model.slice(model.length - found.length))
          if (each.kind === 'reopen') expect(found).toEqual(needed)
          if (found.length > needed.length) mark = found[0]?.seq ?? mark
        }
      }
      await journal[Symbol.asyncDispose]()
    }),
    { numRuns: 150 },
  )
}, 120_000)

test('space below the mark is given back in whole segments', async () => {
  const dir = freshDir()
  await using journal = await openJournal(dir, small)
  let most = 0
  for (let i = 0; i < 200; i++) {
    const seq = await durably(journal, 'x'.repeat(900))
    journal.discardBefore(seq - 3)
    most = Math.max(most, segmentsOf(dir).length)
  }
  expect(most).toBeLessThanOrEqual(5)
})

test('a directory that is open is refused to others, and free again after closing', async () => {
  const dir = freshDir()
  {
    await using _journal = await openJournal(dir, small)
    await expect(openJournal(dir, small)).rejects.toThrow(/already open/)
  }
  await using again = await openJournal(dir, small)
  expect(again.recovered).toEqual([])
})

test('after a refused write every callback hears of it in order and nothing is acknowledged any more', async () => {
  let writes = 0
  const broken: Disk = {
    ...realDisk,
    write(fd, bytes, offset, length, position, done) {
      if (++writes < 3) realDisk.write(fd, bytes, offset, length, position, done)
      else realDisk.write(fd, bytes, offset, Math.floor(length / 2), position, () => done(new Error('EIO: i/o error')))
    },
  }
  const dir = freshDir()
  const heard: string[] = []
  {
    await using journal = await openJournal(dir, { ...small, disk: broken })
    await durably(journal, 'kept')
    await new Promise<void>((done) => {
      for (const name of ['a', 'b', 'c']) {
        journal.append(name.padEnd(1_500, '.'), (error) => {
          heard.push(`${name} ${error?.message ?? 'acknowledged'}`)
          if (name === 'c') done()
        })
      }
    })
    expect(heard).toEqual(['a EIO: i/o error', 'b EIO: i/o error', 'c EIO: i/o error'])
    expect(journal.failed?.message).toBe('EIO: i/o error')
    await expect(durably(journal, 'later')).rejects.toThrow('EIO')
    expect(writes).toBe(3)
  }
  await using again = await openJournal(dir, small)
  expect(texts(again)[0]).toBe('kept')
  expect(
    texts(again)
      .slice(1)
      .every((text) => text.length === 1_500),
  ).toBe(true)
})

const child = join(import.meta.dirname, 'journal.child.ts')

/** Runs the child until it has acknowledged `atLeast` entries, kills it, and returns the highest number it had printed. */
function runAndKill(
  dir: string,
  atLeast: number,
  fileSizeKiB?: number,
): Promise<{ acknowledged: number; output: string }> {
  const command =
    fileSizeKiB === undefined ? 'exec "$0" "$@"' : `ulimit -f ${fileSizeKiB}; trap '' XFSZ; exec "$0" "$@"`
  return new Promise((resolve) => {
    const running = spawn('bash', ['-c', command, process.execPath, child, dir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    running.stdout.on('data', (piece: Buffer) => {
      output += piece.toString()
      if (output.split('\n').length > atLeast) running.kill('SIGKILL')
    })
    running.on('close', () => {
      const complete = output
        .slice(0, output.lastIndexOf('\n'))
        .split('\n')
        .filter((line) => /^\d+$/.test(line))
      resolve({ acknowledged: Number(complete.at(-1) ?? 0), output })
    })
  })
}

test('killed twenty times in the middle of appending, no acknowledged entry is lost and the order holds', async () => {
  const dir = freshDir()
  let total = 0
  for (let kill = 0; kill < 20; kill++) {
    const { acknowledged } = await runAndKill(dir, 20 + kill * 7)
    expect(acknowledged).toBeGreaterThan(total)
    await using journal = await openJournal(dir, { segmentBytes: 65_536 })
    const seqs = journal.recovered.map(({ seq }) => seq)
    expect(seqs).toEqual(Array.from({ length: seqs.length }, (_, i) => i + 1))
    expect(seqs.length).toBeGreaterThanOrEqual(acknowledged)
    for (const { seq, payload } of journal.recovered) expect(payload.toString().startsWith(`entry ${seq} `)).toBe(true)
    total = seqs.length
  }
}, 120_000)

test('a disk that refuses a write in the middle of appending is reported, and what was acknowledged is kept', async () => {
  const dir = freshDir()
  await runAndKill(dir, 50)
  // The next segment exists at full size and is recycled, but no write may reach past 40 KiB any more.
  const { acknowledged, output } = await runAndKill(dir, 1_000_000, 40)
  expect(output).toContain('failed EFBIG')
  // After the first failure nothing is acknowledged.
  expect(output.slice(output.indexOf('failed'))).not.toMatch(/^\d+$/m)
  await using journal = await openJournal(dir, { segmentBytes: 65_536 })
  expect(journal.recovered.length).toBeGreaterThanOrEqual(acknowledged)
  expect(journal.recovered.map(({ seq }) => seq)).toEqual(Array.from(journal.recovered, (_, i) => i + 1))
}, 60_000)

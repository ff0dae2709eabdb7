import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32, deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import writeExcelFile from 'write-excel-file/node'
import { StatementMapping } from '#contract'
import { Problem } from '#kernel'
import { rowsOf } from './rows.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tokenfactory-files-'))
})
afterAll(() => rm(folder, { recursive: true }))

const mapping = (change: object = {}): StatementMapping =>
  StatementMapping.parse({
    format: 'csv',
    granularity: 'request',
    columns: { request: 'id', model: 'model', input: 'in', output: 'out', amount: 'net' },
    tokenUnit: 'token',
    amountUnit: 'yuan',
    amountIncludesTax: false,
    taxPercent: 6,
    ...change,
  })

let files = 0
async function read(
  content: string | Buffer,
  change: object = {},
): Promise<{ line: number; cells: Record<string, string> }[]> {
  const path = join(folder, `${files++}`)
  await writeFile(path, content)
  const found: { line: number; cells: Record<string, string> }[] = []
  for await (const { rows } of rowsOf({ path, bytes: Buffer.byteLength(content) }, mapping(change)))
    for (const { line, cells } of rows) found.push({ line, cells: Object.fromEntries(cells) })
  return found
}

async function flawOf(content: string | Buffer, change: object = {}): Promise<unknown> {
  try {
    await read(content, change)
  } catch (error) {
    if (error instanceof Problem) return error.params['flaw'] ?? error.type.code
    throw error
  }
  return 'none'
}

const HEAD = 'id,model,in,out,net\n'

test('CSV: quotes, marks, blank lines, both kinds of line ends, and lines counted as an editor counts', async () => {
  const text = `\uFEFF"id",model,in,out,net\r\n\r\n"a ""quoted"", b",m,1,2,0.5\r\n"two\nlines",m,3,4,1\n\nc,m,5,6,7`
  expect(await read(text)).toEqual([
    { line: 3, cells: { id: 'a "quoted", b', model: 'm', in: '1', out: '2', net: '0.5' } },
    { line: 4, cells: { id: 'two\nlines', model: 'm', in: '3', out: '4', net: '1' } },
    { line: 7, cells: { id: 'c', model: 'm', in: '5', out: '6', net: '7' } },
  ])
  expect(await read(`${HEAD.replaceAll(',', ';')}a;m;1;2;3\n`, { delimiter: ';' })).toHaveLength(1)
})

test('CSV: whatever is written by the rules is read back, wherever the pieces of the file end', async () => {
  const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', '元', ' ', '0') })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(cell, cell), { maxLength: 30 }), async (pairs) => {
      const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
      const lines = pairs.map(([a, b]) => `${quoted(a)},m,1,2,${quoted(b)}\r\n`)
      const rows = await read(HEAD + lines.join(''))
      expect(rows.map(({ cells }) => [cells['id'], cells['net']])).toEqual(pairs)
    }),
    { numRuns: 60 },
  )
})

test('GB 18030 is read where it is declared, and is an error where it is not', async () => {
  // 模型 in GB 18030.
  const bytes = Buffer.concat([
    Buffer.from(HEAD),
    Buffer.from('a,'),
    Buffer.from([0xc4, 0xa3, 0xd0, 0xcd]),
    Buffer.from(',1,2,3\n'),
  ])
  expect((await read(bytes, { encoding: 'gb18030' }))[0]?.cells['model']).toBe('模型')
  expect(await flawOf(bytes)).toBe('encoding')
})

test('hostile CSV is refused by name', async () => {
  expect(await flawOf('')).toBe('empty')
  expect(await flawOf('id,model,in,out,net,in\n')).toBe('duplicate_heading')
  expect(await flawOf('id,model,in,out\n')).toBe('missing_column')
  expect(await flawOf(`${HEAD}"a,m,1,2,3\n`)).toBe('not_csv')
  expect(await flawOf(`${HEAD}"a"b,m,1,2,3\n`)).toBe('not_csv')
  expect(await flawOf(`${HEAD}a,m,1,2,3,4\n`)).toBe('not_csv')
  expect(await flawOf(`${HEAD}${'x'.repeat(100_000)}`)).toBe('line_too_long')
  expect(await flawOf(`${HEAD}"${'x'.repeat(400_000)}"`)).toBe('line_too_long')
  expect(await flawOf(`${HEAD}a${','.repeat(300)}\n`)).toBe('too_many_columns')
})

test('JSON: an array or one object after the other, with every digit kept', async () => {
  const rows = [
    { id: 'a', model: '模"}型', in: 1, out: 2, net: 3, more: { nested: [1, { a: '}' }] } },
    { id: 'b', model: 'm', in: 1, out: 2, net: 4 },
  ]
  const array = JSON.stringify(rows).replace('"net":3', '"net":0.123456789012345678901234567890')
  const lines = rows.map((row) => JSON.stringify(row)).join('\n')
  expect(
    (await read(array, { format: 'json' })).map(({ cells }) => [cells['id'], cells['model'], cells['net']]),
  ).toEqual([
    ['a', '模"}型', '0.123456789012345678901234567890'],
    ['b', 'm', '4'],
  ])
  expect((await read(lines, { format: 'json' })).map(({ line, cells }) => [line, cells['id']])).toEqual([
    [1, 'a'],
    [2, 'b'],
  ])
})

test('hostile JSON is refused by name', async () => {
  const json = { format: 'json' }
  expect(await flawOf('', json)).toBe('empty')
  for (const text of [
    '[1]',
    '[{"id":1},]',
    '[{"id":1}',
    '{"id":1',
    '{"id":1}}',
    '[]]',
    '{"a":01}',
    '"text"',
    '{"a":1,"a":2}',
  ])
    expect(await flawOf(text, json), text).toBe('not_json')
  expect(await flawOf(`{"a":"${'x'.repeat(100_000)}"}`, json)).toBe('line_too_long')
  expect(await flawOf(`{"a":${'['.repeat(50_000)}}`, json)).toBe('not_json')
  expect(await flawOf(`{"a":${'{'.repeat(400_000)}`, json)).toBe('line_too_long')
})

const CELLS = ['id', 'model', 'in', 'out', 'net']

test('XLSX: what a spreadsheet program writes is read, numbers and texts, with its own row numbers', async () => {
  const bold = { fontWeight: 'bold' } as const
  const book = await writeExcelFile(
    [
      CELLS.map((value) => ({ value, ...bold })),
      [{ value: 'req_1' }, { value: '旗舰 <&"型' }, { value: 12 }, { value: 0.1 + 0.2 }, { value: 1.2e-7 }],
      [null, null, null, null, null],
      [{ value: 'req_2' }, null, { value: 5 }, { value: 6 }, { value: '7' }],
    ],
    { sheet: 'A' },
  ).toBuffer()
  expect(await read(book, { format: 'xlsx' })).toEqual([
    { line: 2, cells: { id: 'req_1', model: '旗舰 <&"型', in: '12', out: '0.30000000000000004', net: '1.2e-7' } },
    { line: 4, cells: { id: 'req_2', model: '', in: '5', out: '6', net: '7' } },
  ])
})

/** A zip archive by hand, so that it can be as wrong as somebody wants it. */
function zip(
  parts: Readonly<Record<string, string | Buffer>>,
  change: { flags?: number; method?: number } = {},
): Buffer {
  const locals: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, content] of Object.entries(parts)) {
    const data = Buffer.from(content as string)
    const packed = deflateRawSync(data)
    const head = Buffer.alloc(30)
    head.writeUInt32LE(0x04034b50, 0)
    head.writeUInt16LE(name.length, 26)
    locals.push(head, Buffer.from(name), packed)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50, 0)
    entry.writeUInt16LE(change.flags ?? 0, 8)
    entry.writeUInt16LE(change.method ?? 8, 10)
    entry.writeUInt32LE(crc32(data), 16)
    entry.writeUInt32LE(packed.length, 20)
    entry.writeUInt32LE(data.length, 24)
    entry.writeUInt16LE(name.length, 28)
    entry.writeUInt32LE(offset, 42)
    directory.push(entry, Buffer.from(name))
    offset += 30 + name.length + packed.length
  }
  const all = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(Object.keys(parts).length, 10)
  end.writeUInt32LE(all.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, all, end])
}

function book(
  sheet: string | Buffer,
  more: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string | Buffer>> {
  return {
    'xl/workbook.xml': '<workbook><sheets><sheet name="a" r:id="r1"/></sheets></workbook>',
    'xl/_rels/workbook.xml.rels':
      '<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/></Relationships>',
    'xl/worksheets/sheet1.xml': sheet,
    ...more,
  }
}

const inline = (text: string) => `<c t="inlineStr"><is><t>${text}</t></is></c>`
const head = `<row r="1">${CELLS.map(inline).join('')}</row>`

test('hostile workbooks are refused by name', async () => {
  const xlsx = { format: 'xlsx' }
  const good = book(`<worksheet><sheetData>${head}<row r="2">${inline('&#x6a21;&amp;')}</row></sheetData></worksheet>`)
  expect((await read(zip(good), xlsx))[0]?.cells['id']).toBe('模&')
  expect(await flawOf('not a zip', xlsx)).toBe('not_xlsx')
  expect(await flawOf(zip(good).subarray(0, 400), xlsx)).toBe('not_xlsx')
  expect(await flawOf(zip(good, { flags: 1 }), xlsx)).toBe('not_xlsx')
  expect(await flawOf(zip(good, { method: 12 }), xlsx)).toBe('not_xlsx')
  expect(await flawOf(zip({ 'xl/workbook.xml': '<workbook/>' }), xlsx)).toBe('not_xlsx')
  const formula = `${head}<row r="2"><c r="A2"><f>1+1</f><v>2</v></c></row>`
  expect(await flawOf(zip(book(formula)), xlsx)).toBe('formula')
  expect(await flawOf(zip(book(`<!DOCTYPE a [<!ENTITY x "y">]>${head}`)), xlsx)).toBe('doctype')
  expect(await flawOf(zip(book(`${head}<row r="2">${inline('&x;')}</row>`)), xlsx)).toBe('not_xlsx')
  expect(await flawOf(zip(book(`${head}<row r="0">${inline('a')}</row>`)), xlsx)).toBe('not_xlsx')
  expect(await flawOf(zip(book(`${head}<row r="2"><c r="ZZ2"><v>1</v></c></row>`)), xlsx)).toBe('too_many_columns')
  expect(await flawOf(zip(book(`<row r="1">${inline('x'.repeat(40_000))}</row>`)), xlsx)).toBe('line_too_long')
  expect(await flawOf(zip(book('<worksheet/>')), xlsx)).toBe('empty')
  const bomb = Buffer.concat([Buffer.from(head), Buffer.alloc(64 << 20, ' ')])
  expect(await flawOf(zip(book(bomb)), xlsx)).toBe('zip_bomb')
  expect(await flawOf(zip(book(head, { 'xl/sharedStrings.xml': ' '.repeat(32 << 20) })), xlsx)).toBe('zip_bomb')
})

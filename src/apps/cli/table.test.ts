import { expect, test } from 'vitest'
import { cellWidth, renderTable } from './table.ts'

test('Chinese text takes two cells per character, so that columns stay in line', () => {
  expect(cellWidth('安客')).toBe(4)
  expect(cellWidth('é')).toBe(1)
  expect(cellWidth('e\u0301')).toBe(1)
  expect(cellWidth('😀')).toBe(2)
  const table = renderTable(
    [
      { title: 'NAME', value: ({ name }: { name: string; amount: number }) => name },
      { title: 'AMOUNT', value: ({ amount }) => amount, align: 'right' },
    ],
    [
      { name: '安客', amount: 5 },
      { name: 'acme', amount: 1234567 },
    ],
  )
  expect(table).toBe('NAME   AMOUNT\n安客        5\nacme  1234567')
})

test('a name cannot steer the terminal', () => {
  expect(renderTable([{ title: 'N', value: (name: string) => name }], ['\u001b[2Jx\nroot\u202e'])).toBe(
    'N\n?[2Jx?root?',
  )
})

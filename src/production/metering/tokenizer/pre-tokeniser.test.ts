import { expect, test } from 'vitest'
import { findPreTokeniser } from './pre-tokeniser.ts'

function words(name: string, text: string): readonly string[] {
  return text.match(findPreTokeniser(name) ?? /never/g) ?? []
}

test('gpt-2 cuts contractions, letters, numbers, symbols and spaces, and a word takes one space along', () => {
  expect(words('gpt-2', "we're 12 o'clock...  x\n\n y")).toEqual([
    'we',
    "'re",
    ' 12',
    ' o',
    "'",
    'clock',
    '...',
    ' ',
    ' x',
    '\n\n',
    ' y',
  ])
})

test('qwen2 cuts every digit, and takes a symbol along with letters and a line end along with symbols', () => {
  expect(words('qwen2', "WE'RE 12 (x);\n  y")).toEqual(['WE', "'RE", ' ', '1', '2', ' (', 'x', ');\n', ' ', ' y'])
})

test('spaces are those of Unicode: the next-line control is one, the byte order mark is none', () => {
  expect(words('gpt-2', 'a \u0085!\ufeff!')).toEqual(['a', ' ', '\u0085', '!\ufeff!'])
})

test('nothing is lost, and a name that is not known has no cutter', () => {
  const text = "It's 3 o'clock,\t日本 🙂\u3000\r\n  end "
  for (const name of ['gpt-2', 'qwen2']) expect(words(name, text).join('')).toBe(text)
  expect(findPreTokeniser('constructor')).toBeUndefined()
})

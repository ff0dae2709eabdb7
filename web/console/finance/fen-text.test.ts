import { expect, test } from 'vitest'
import { isFen, openAmount } from './fen-text.ts'

test('an amount of a payment is above zero and has whole fen', () => {
  expect(['1', '0.01', '12.5', ' 3.10 ', '9999999999999.99'].map(isFen)).toEqual([true, true, true, true, true])
  expect(['', '0', '0.00', '-1', '1.005', '1e3', '1,000', '.5'].map(isFen)).toEqual(Array(8).fill(false))
})

test('what is open of a document is what is due less what covers it, exactly', () => {
  expect(openAmount({ due: '9007199254740.10', covered: '0.01' })).toBe('9007199254740.09')
  expect(openAmount({ due: '5.00', covered: '5.00' })).toBe('')
})

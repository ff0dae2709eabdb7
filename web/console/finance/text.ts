import { dictionary } from '../../kit/language.tsx'
import { financeEnglish } from './text-en.ts'
import { financeChinese } from './text-zh.ts'

export const financeText = dictionary(financeChinese, financeEnglish)

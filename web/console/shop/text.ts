import { dictionary } from '../../kit/language.tsx'
import { shopEnglish } from './text-en.ts'
import { shopChinese } from './text-zh.ts'

export const shopText = dictionary(shopChinese, shopEnglish)

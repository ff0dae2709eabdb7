const DIGITS = ['零', '壹', '贰', '叁', '肆', '伍', '陆', '柒', '捌', '玖'] as const
const UNITS: readonly (readonly [size: bigint, name: string])[] = [
  [100_000_000n, '亿'],
  [10_000n, '万'],
  [1_000n, '仟'],
  [100n, '佰'],
  [10n, '拾'],
]

/**
 * An amount in the characters of Chinese invoices (大写金额), `123450n` → `壹仟贰佰叁拾肆元伍角整`. By the rules of the Ministry of Finance
 * (会计基础工作规范, article 52): zeros inside are read once, and what ends before fen ends with 整.
 */
export function chineseAmount(fen: bigint): string {
  const size = fen < 0n ? -fen : fen
  const [yuan, jiao, rest] = [size / 100n, (size / 10n) % 10n, size % 10n]
  const whole = yuan === 0n ? '' : `${wholeNumber(yuan)}元`
  const tenths = jiao === 0n ? '' : `${digit(jiao)}角`
  const hundredths = rest === 0n ? '' : `${digit(rest)}分`
  const gap = whole !== '' && jiao === 0n && rest !== 0n ? '零' : ''
  const text = `${whole}${tenths}${gap}${hundredths}`
  return `${fen < 0n ? '负' : ''}${text === '' ? '零元' : text}${hundredths === '' ? '整' : ''}`
}

function wholeNumber(value: bigint): string {
  const unit = UNITS.find(([size]) => value >= size)
  if (!unit) return digit(value)
  const [size, name] = unit
  const rest = value % size
  const tail = rest === 0n ? '' : `${rest < size / 10n ? '零' : ''}${wholeNumber(rest)}`
  return `${wholeNumber(value / size)}${name}${tail}`
}

function digit(value: bigint): string {
  return DIGITS[Number(value)] ?? ''
}

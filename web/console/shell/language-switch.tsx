import { useLanguage, useText } from '../../kit/language.tsx'
import { shellText } from './text.ts'

/** Each language is named in itself, so that whoever cannot read this page finds the way out. */
const choices = [
  { language: 'zh', name: '中文' },
  { language: 'en', name: 'English' },
] as const

export function LanguageSwitch() {
  const { language, setLanguage } = useLanguage()
  const text = useText(shellText)
  return (
    <div className="language-switch" role="group" aria-label={text.language}>
      {choices.map((choice) => (
        <button
          key={choice.language}
          type="button"
          lang={choice.language === 'zh' ? 'zh-CN' : 'en'}
          aria-pressed={language === choice.language}
          onClick={() => setLanguage(choice.language)}
        >
          {choice.name}
        </button>
      ))}
    </div>
  )
}

import { createContext, use, useEffect, useMemo, useState } from 'react'
import type { ReactNode } from 'react'
import { createFormat } from './format.ts'

export type Language = 'zh' | 'en'

/** One feature's words in both languages. `en` must have the shape of `zh`, so a missing translation does not compile. */
export interface Dictionary<Text> {
  readonly zh: Text
  readonly en: Text
}

export function dictionary<Text extends object>(zh: Text, en: NoInfer<Text>): Dictionary<Text> {
  return { zh, en }
}

/** Words for values that the server may add to: looking up one that is not here is allowed and finds nothing. */
export function names(known: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return known
}

const STORAGE_KEY = 'tokenfactory.language'

/** What was chosen last, else what the browser prefers. Storage may be forbidden; then nothing is remembered. */
function initialLanguage(): Language {
  try {
    const stored = localStorage.getItem(STORAGE_KEY)
    if (stored === 'zh' || stored === 'en') return stored
  } catch {
    // Storage is forbidden here: the browser's own preference decides each time.
  }
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

interface LanguageChoice {
  readonly language: Language
  readonly setLanguage: (language: Language) => void
}

const LanguageContext = createContext<LanguageChoice>({ language: 'zh', setLanguage: () => undefined })

export function LanguageProvider({ children }: { readonly children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(initialLanguage)
  useEffect(() => {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
    try {
      localStorage.setItem(STORAGE_KEY, language)
    } catch {
      // Storage is forbidden here: the choice lasts as long as the page.
    }
  }, [language])
  const choice = useMemo(() => ({ language, setLanguage }), [language])
  return <LanguageContext value={choice}>{children}</LanguageContext>
}

export function useLanguage(): LanguageChoice {
  return use(LanguageContext)
}

export function useText<Text>(words: Dictionary<Text>): Text {
  return words[use(LanguageContext).language]
}

const formats = { zh: createFormat('zh-CN'), en: createFormat('en-GB') }

/** Numbers, money and dates as the chosen language writes them. */
export function useFormat() {
  return formats[use(LanguageContext).language]
}

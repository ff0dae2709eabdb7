import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { App as AntdApp, ConfigProvider } from 'antd'
import * as englishModule from 'antd/es/locale/en_US.js'
import type { Locale } from 'antd/es/locale/index.js'
import * as chineseModule from 'antd/es/locale/zh_CN.js'
import { ApiError } from '../../kit/api.ts'
import { LanguageProvider, useLanguage } from '../../kit/language.tsx'
import { antdTheme, useScheme } from '../../kit/theme.ts'
import { SessionGate } from './session-gate.tsx'

/** antd ships ES modules without declaring them: the checker sees one more `default` than the bundler does. Accept both. */
function defaultOf(module: { readonly default: Locale | { readonly default: Locale } }): Locale {
  return 'default' in module.default ? module.default.default : module.default
}

const locales = { zh: defaultOf(chineseModule), en: defaultOf(englishModule) }

const queries: QueryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // A refusal stays a refusal when repeated; a network hiccup does not.
      retry: (failures, error) =>
        failures < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 502),
      refetchOnWindowFocus: false,
    },
  },
  queryCache: new QueryCache({
    onError: (error, query) => {
      // The session ended while a page was open: ask for it again, which brings up the sign-in form.
      if (error instanceof ApiError && error.status === 401 && query.queryKey[0] !== 'session')
        queries.setQueryData(['session'], null)
    },
  }),
})

export function App() {
  return (
    <LanguageProvider>
      <Themed />
    </LanguageProvider>
  )
}

function Themed() {
  const { language } = useLanguage()
  const scheme = useScheme()
  return (
    <ConfigProvider theme={antdTheme(scheme)} locale={locales[language]} button={{ autoInsertSpace: false }}>
      <AntdApp component={false}>
        <QueryClientProvider client={queries}>
          <SessionGate />
        </QueryClientProvider>
      </AntdApp>
    </ConfigProvider>
  )
}

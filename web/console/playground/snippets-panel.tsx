import { Segmented } from 'antd'
import { useState } from 'react'
import { CodeBlock } from '../../kit/copy.tsx'
import { useText } from '../../kit/language.tsx'
import { Panel } from '../../kit/layout.tsx'
import { curlSnippet, sdkSnippet } from '../../kit/snippets.ts'
import type { ChatBody } from '../../kit/snippets.ts'
import { playgroundText } from './text.ts'

/** The call as a command and as a program. The short-lived key stays in this page: a lasting one belongs in its place. */
export function Snippets({ gatewayUrl, body }: { readonly gatewayUrl: string; readonly body: ChatBody }) {
  const text = useText(playgroundText)
  const [kind, setKind] = useState<'curl' | 'sdk'>('curl')
  const input = { gatewayUrl, key: text.placeholderKey, body }
  return (
    <Panel
      title={text.code}
      aside={
        <Segmented
          aria-label={text.code}
          value={kind}
          onChange={setKind}
          options={[
            { value: 'curl', label: text.curl },
            { value: 'sdk', label: text.sdk },
          ]}
        />
      }
    >
      <CodeBlock label={text.code} text={kind === 'curl' ? curlSnippet(input) : sdkSnippet(input)} />
    </Panel>
  )
}

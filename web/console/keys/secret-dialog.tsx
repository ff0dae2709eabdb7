import { Button, Modal } from 'antd'
import type * as z from 'zod'
import type { NewKey } from '#contract'
import { CodeBlock, CopyButton } from '../../kit/copy.tsx'
import { useText } from '../../kit/language.tsx'
import { useInfo, useServices } from '../../kit/scope.tsx'
import { curlSnippet } from '../../kit/snippets.ts'
import { keysText } from './text.ts'

/** The one showing of a new secret. It closes by its button only, so that a stray click outside does not lose the key. */
export function SecretDialog({
  made,
  onClose,
}: {
  readonly made: z.infer<typeof NewKey> | null
  readonly onClose: () => void
}) {
  const text = useText(keysText)
  const gatewayUrl = useInfo().data?.gatewayUrl
  const service = useServices().data?.[0]?.id
  return (
    <Modal
      open={made !== null}
      title={text.secretTitle}
      closable={false}
      keyboard={false}
      mask={{ closable: false }}
      footer={null}
      destroyOnHidden
      width={600}
    >
      {made && (
        <div className="stack">
          <div className="notice notice-warn" role="alert">
            {text.secretWarning}
          </div>
          <div className="code-block wrapping">
            <pre aria-label={text.secret} data-testid="new-secret">
              {made.secret}
            </pre>
          </div>
          <div className="row">
            <CopyButton text={made.secret} label={text.copySecret} primary />
            <Button size="small" onClick={onClose}>
              {text.saved}
            </Button>
          </div>
          {gatewayUrl && service && (
            <div>
              <p className="cell-note" style={{ marginBottom: 4 }}>
                {text.use}
              </p>
              <CodeBlock
                label={text.use}
                text={curlSnippet({
                  gatewayUrl,
                  key: made.secret,
                  body: { model: service, messages: [{ role: 'user', content: 'Hello' }] },
                })}
              />
            </div>
          )}
        </div>
      )}
    </Modal>
  )
}

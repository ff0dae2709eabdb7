import { useQuery } from '@tanstack/react-query'
import { Button } from 'antd'
import { useState } from 'react'
import * as z from 'zod'
import { KeyView } from '#contract'
import type { NewKey } from '#contract'
import { get } from '../../kit/api.ts'
import { useText } from '../../kit/language.tsx'
import { Page, Panel } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { useScope } from '../../kit/scope.tsx'
import { TenantSelect } from '../../kit/tenant-select.tsx'
import { CreateKeyDialog } from './create-key-dialog.tsx'
import { KeyTable } from './key-table.tsx'
import { SecretDialog } from './secret-dialog.tsx'
import { keysText } from './text.ts'

export default function KeysPage() {
  const text = useText(keysText)
  const { tenantQuery } = useScope()
  const [creating, setCreating] = useState(false)
  const [made, setMade] = useState<z.infer<typeof NewKey> | null>(null)
  const keys = useQuery({
    queryKey: ['keys', tenantQuery],
    queryFn: ({ signal }) => get('/keys', z.array(KeyView), { query: { tenant: tenantQuery }, signal }),
  })
  return (
    <Page
      title={text.title}
      lead={text.lead}
      actions={
        <>
          <TenantSelect />
          <Button type="primary" onClick={() => setCreating(true)}>
            {text.create}
          </Button>
        </>
      }
    >
      <Panel flush>
        <QueryView query={keys}>{(rows) => <KeyTable rows={rows} />}</QueryView>
      </Panel>
      <CreateKeyDialog
        open={creating}
        onClose={() => setCreating(false)}
        onMade={(key) => {
          setCreating(false)
          setMade(key)
        }}
      />
      <SecretDialog made={made} onClose={() => setMade(null)} />
    </Page>
  )
}

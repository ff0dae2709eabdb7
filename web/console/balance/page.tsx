import { Button } from 'antd'
import { useState } from 'react'
import { useText } from '../../kit/language.tsx'
import { Page } from '../../kit/layout.tsx'
import { useScope } from '../../kit/scope.tsx'
import { TenantSelect } from '../../kit/tenant-select.tsx'
import { Corrections } from './corrections.tsx'
import { Means } from './means.tsx'
import { Postings } from './postings.tsx'
import { balanceText } from './text.ts'
import { TopUpDialog } from './top-up-dialog.tsx'
import { Wallet } from './wallet.tsx'
import { WalletTable } from './wallet-table.tsx'

export default function BalancePage() {
  const text = useText(balanceText)
  const { isOperator, tenant } = useScope()
  const [toppingUp, setToppingUp] = useState(false)
  return (
    <Page
      title={text.title}
      lead={text.lead}
      actions={
        <>
          <TenantSelect />
          {isOperator && (
            <Button type="primary" onClick={() => setToppingUp(true)}>
              {text.topUp}
            </Button>
          )}
        </>
      }
    >
      {tenant === null ? (
        <WalletTable />
      ) : (
        <>
          <Wallet tenant={tenant} />
          <Means key={`means-${tenant}`} tenant={tenant} />
          <Corrections tenant={tenant} />
        </>
      )}
      {/* A new tenant starts at its newest posting, with nothing unfolded. */}
      <Postings key={tenant ?? ''} />
      {isOperator && <TopUpDialog open={toppingUp} onClose={() => setToppingUp(false)} />}
    </Page>
  )
}

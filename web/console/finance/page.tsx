import { useText } from '../../kit/language.tsx'
import { Page } from '../../kit/layout.tsx'
import { useRoute } from '../../kit/router.ts'
import { useScope } from '../../kit/scope.tsx'
import { SubNavigation } from '../../kit/sub-navigation.tsx'
import { TenantSelect } from '../../kit/tenant-select.tsx'
import { Document } from './document.tsx'
import { Documents } from './documents.tsx'
import { Payments } from './payments.tsx'
import { Reconciliation } from './reconciliation.tsx'
import { financeText } from './text.ts'

/** Reconciliation for operators, documents and payments for everybody; an address that is no view is a document's id. */
export default function FinancePage() {
  const text = useText(financeText)
  const { isOperator } = useScope()
  const { detail } = useRoute()
  const view = detail ?? (isOperator ? 'reconciliation' : 'invoices')
  const views = [
    ...(isOperator ? ([['reconciliation', text.views.reconciliation]] as const) : []),
    ['invoices', text.views.invoices],
    ['payments', text.views.payments],
  ] as const
  const isView = views.some(([name]) => name === view)
  return (
    <Page
      title={text.title}
      lead={isOperator ? text.lead : text.tenantLead}
      actions={view === 'reconciliation' ? undefined : <TenantSelect />}
    >
      <SubNavigation page="finance" label={text.title} current={isView ? view : 'invoices'} views={views} />
      {view === 'reconciliation' && isOperator && <Reconciliation />}
      {view === 'invoices' && <Documents />}
      {view === 'payments' && <Payments />}
      {!isView && <Document key={view} id={view} />}
    </Page>
  )
}

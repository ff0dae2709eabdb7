import { useText } from '../../kit/language.tsx'
import { EmptyState, Page } from '../../kit/layout.tsx'
import { useRoute } from '../../kit/router.ts'
import { useScope } from '../../kit/scope.tsx'
import { SubNavigation } from '../../kit/sub-navigation.tsx'
import { AgreementTable, CallOffTable } from './contracts.tsx'
import { Package, Projects } from './projects.tsx'
import { procurementText } from './text.ts'

/** For the procurement manager; a supplier's people see their agreements and orders. */
export default function ProcurementPage() {
  const text = useText(procurementText)
  const { isOperator } = useScope()
  const view = useRoute().detail ?? (isOperator ? 'projects' : 'call-offs')
  const views = [
    ...(isOperator ? ([['projects', text.projects]] as const) : []),
    ['agreements', text.agreements],
    ['call-offs', text.callOffs],
  ] as const
  const packageId = isOperator && view.startsWith('package/') ? view.slice('package/'.length) : null
  const current = packageId === null ? view : 'projects'
  return (
    <Page title={text.title} lead={isOperator ? text.lead : text.supplierLead}>
      <SubNavigation page="procurement" label={text.title} current={current} views={views} />
      {packageId !== null && <Package id={packageId} />}
      {view === 'projects' && isOperator && <Projects />}
      {view === 'agreements' && <AgreementTable />}
      {view === 'call-offs' && <CallOffTable />}
      {!views.some(([name]) => name === current) && <EmptyState title={text.nothingHere} />}
    </Page>
  )
}

import { useText } from '../../kit/language.tsx'
import { Page } from '../../kit/layout.tsx'
import { useRoute } from '../../kit/router.ts'
import { useScope } from '../../kit/scope.tsx'
import { SubNavigation } from '../../kit/sub-navigation.tsx'
import { Penalties } from './penalties.tsx'
import { Periods } from './periods.tsx'
import { Run } from './run.tsx'
import { Runs } from './runs.tsx'
import { Statement } from './statement.tsx'
import { settlementText } from './text.ts'

/** For the settlement clerk; a supplier's people see what is theirs. An address that is no view is a statement's or a settlement's id. */
export default function SettlementPage() {
  const text = useText(settlementText)
  const { isOperator } = useScope()
  const view = useRoute().detail ?? 'periods'
  const views = [
    ['periods', text.views.periods],
    ['runs', text.views.runs],
    ['penalties', text.views.penalties],
  ] as const
  const isRun = view.startsWith('sr-')
  const current = isRun ? 'runs' : view.startsWith('st-') ? 'periods' : view
  return (
    <Page title={text.title} lead={isOperator ? text.lead : text.supplierLead}>
      <SubNavigation page="settlement" label={text.title} current={current} views={views} />
      {view === 'periods' && <Periods />}
      {view === 'runs' && <Runs />}
      {view === 'penalties' && <Penalties />}
      {view.startsWith('st-') && <Statement key={view} id={view} />}
      {isRun && <Run key={view} id={view} />}
    </Page>
  )
}

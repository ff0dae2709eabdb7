import { useText } from '../../kit/language.tsx'
import { Page } from '../../kit/layout.tsx'
import { useRoute } from '../../kit/router.ts'
import { useScope } from '../../kit/scope.tsx'
import { SubNavigation } from '../../kit/sub-navigation.tsx'
import { Acceptances } from './acceptances.tsx'
import { Alerts } from './alerts.tsx'
import { Audits } from './audits.tsx'
import { Levels } from './levels.tsx'
import { Months } from './months.tsx'
import { qualityText } from './text.ts'

/** Everybody sees what is theirs: operators all of it, suppliers what they deliver, tenants what they were given. */
export default function QualityPage() {
  const text = useText(qualityText)
  const { session, isOperator } = useScope()
  const { role } = session
  const views = [
    ['levels', text.levels, Levels],
    ['months', text.reports, Months],
    ...(role === 'tenant'
      ? []
      : ([
          ['audits', text.audits, Audits],
          ['acceptances', text.acceptances, Acceptances],
        ] as const)),
    ...(isOperator ? ([['alerts', text.alerts, Alerts]] as const) : []),
  ] as const
  const asked = useRoute().detail ?? 'levels'
  const [current, , View] = views.find(([name]) => name === asked) ?? views[0]
  const lead = isOperator ? text.lead : role === 'supplier' ? text.supplierLead : text.tenantLead
  return (
    <Page title={text.title} lead={lead}>
      <SubNavigation
        page="quality"
        label={text.title}
        current={current}
        views={views.map(([name, title]) => [name, title] as const)}
      />
      <View />
    </Page>
  )
}

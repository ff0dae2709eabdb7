import { useText } from '../../kit/language.tsx'
import { EmptyState, Page, Panel } from '../../kit/layout.tsx'
import { QueryView } from '../../kit/query-view.tsx'
import { useScope, useServices } from '../../kit/scope.tsx'
import { DeploymentTable } from './deployment-table.tsx'
import { PriceTable } from './price-table.tsx'
import { SupplierTable } from './supplier-table.tsx'
import { servicesText } from './text.ts'

export default function ServicesPage() {
  const text = useText(servicesText)
  const { isOperator } = useScope()
  const services = useServices()
  return (
    <Page title={text.title} lead={text.lead}>
      <QueryView query={services} rows={8}>
        {(rows) =>
          rows.length === 0 ? (
            <Panel>
              <EmptyState title={text.none}>{isOperator && text.noneMore}</EmptyState>
            </Panel>
          ) : (
            <>
              <Panel flush title={text.prices} aside={text.perMillion}>
                <PriceTable services={rows} />
              </Panel>
              {isOperator && (
                <Panel flush title={text.deployments} aside={text.deploymentsLead}>
                  <DeploymentTable services={rows} />
                </Panel>
              )}
            </>
          )
        }
      </QueryView>
      {isOperator && <SupplierTable />}
    </Page>
  )
}

import { useText } from '../../kit/language.tsx'
import { EmptyState, Page } from '../../kit/layout.tsx'
import { useRoute } from '../../kit/router.ts'
import { SubNavigation } from '../../kit/sub-navigation.tsx'
import { TenantSelect } from '../../kit/tenant-select.tsx'
import { Offers } from './offers.tsx'
import { Orders } from './orders.tsx'
import { Subscriptions } from './subscriptions.tsx'
import { shopText } from './text.ts'
import { UnitTables } from './unit-tables.tsx'

export default function ShopPage() {
  const text = useText(shopText)
  const view = useRoute().detail ?? 'offers'
  const views = [
    ['offers', text.offers],
    ['subscriptions', text.subscriptions],
    ['orders', text.orders],
    ['units', text.units],
  ] as const
  return (
    <Page title={text.title} lead={text.lead} actions={<TenantSelect />}>
      <SubNavigation page="shop" label={text.title} current={view} views={views} />
      {view === 'offers' && <Offers />}
      {view === 'subscriptions' && <Subscriptions />}
      {view === 'orders' && <Orders />}
      {view === 'units' && <UnitTables />}
      {!views.some(([name]) => name === view) && <EmptyState title={text.nothingHere} />}
    </Page>
  )
}

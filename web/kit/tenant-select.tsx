import { Select } from 'antd'
import { useText } from './language.tsx'
import { hrefTo, navigate, useRoute } from './router.ts'
import { useScope, useTenants } from './scope.tsx'
import { words } from './words.ts'

/** Lets an operator choose whose data to see; tenant users see their own and get no choice. */
export function TenantSelect({ allowAll = true }: { readonly allowAll?: boolean }) {
  const common = useText(words)
  const { isOperator, tenant } = useScope()
  const tenants = useTenants()
  const route = useRoute()
  if (!isOperator) return null
  const choices = (tenants.data ?? []).map(({ id, displayName }) => ({
    value: id,
    label: displayName === id ? id : `${displayName} (${id})`,
  }))
  return (
    <Select
      aria-label={common.tenant}
      style={{ minWidth: 190 }}
      loading={tenants.isPending}
      showSearch={{ optionFilterProp: 'label' }}
      value={tenant ?? (allowAll ? '' : null)}
      placeholder={common.tenant}
      options={allowAll ? [{ value: '', label: common.allTenants }, ...choices] : choices}
      onChange={(value: string) =>
        navigate(hrefTo(route.page || 'overview', null, route.search, { tenant: value === '' ? null : value }))
      }
    />
  )
}

/** The public conformance kits: where each lies in CTK_DIR, what it asks for, and what it has to be given to run at us. */
export interface Kit {
  readonly api: string
  /** The collection's file name, which is unique among the kits. */
  readonly collection: string
  /** The collection's variable for the base URL. */
  readonly variable: string
  /** Our path of that API, after `/tmf-api/`. */
  readonly base: string
  /** Which folder of the collection begins with the POST of which resource of the kit's `config.json`, as the kit's own program has it. */
  readonly posts: Readonly<Record<string, number>>
}

export const KITS: readonly Kit[] = [
  {
    api: 'TMF620 Product Catalog',
    collection: 'CTK-Product_Catalog-4.0.0.postman_collection.json',
    variable: 'Product_Catalog',
    base: 'productCatalogManagement/v4/',
    posts: { ProductSpecification: 0, ProductOffering: 3, ProductOfferingPrice: 6 },
  },
  {
    api: 'TMF622 Product Ordering',
    collection: 'TMF622-ProductOrdering-v4.0.0.testkit.json',
    variable: 'Product_Ordering',
    base: 'productOrderingManagement/v4/',
    posts: { ProductOrder: 0 },
  },
  {
    api: 'TMF635 Usage',
    collection: 'CTK-Usage-4.0.0.postman_collection.json',
    variable: 'Usage',
    base: 'usageManagement/v4/',
    posts: { Usage: 0, UsageSpecification: 3 },
  },
  {
    api: 'TMF637 Product Inventory',
    collection: 'TMF637-ProductInventory-v4.0.0.testkit.json',
    variable: 'Product_Inventory',
    base: 'productInventory/v4/',
    posts: {},
  },
  {
    api: 'TMF654 Prepay Balance',
    collection: 'CTK-PrepayBalance-4.0.0.postman_collection.json',
    variable: 'PrepayBalance',
    base: 'prepayBalanceManagement/v4/',
    posts: { Bucket: 0, TopupBalance: 3, AdjustBalance: 6, ReserveBalance: 9 },
  },
  {
    api: 'TMF666 Account',
    collection: 'CTK-Account-4.0.0.postman_collection.json',
    variable: 'Account',
    base: 'accountManagement/v4/',
    posts: {
      BillFormat: 0,
      PartyAccount: 3,
      BillingCycleSpecification: 6,
      FinancialAccount: 9,
      BillingAccount: 12,
      SettlementAccount: 17,
    },
  },
  {
    api: 'TMF678 Customer Bill',
    collection: 'CTK-Customer_Bill-4.0.postman_collection.json',
    variable: 'Customer_Bill',
    base: 'customerBillManagement/v4/',
    posts: { CustomerBillOnDemand: 3 },
  },
]

/** What the kits' examples leave to whoever runs them: a wallet and an account that exist here, in our currency. */
export function payloads(tenant: string): Readonly<Record<string, unknown>> {
  const action = { amount: { amount: 50, units: 'CNY' }, bucket: { id: `wallet:${tenant}` } }
  const relatedParty = [{ id: tenant, role: 'customer', '@referredType': 'Organization' }]
  return {
    TopupBalance: action,
    AdjustBalance: { ...action, usageType: 'monetary', reason: 'goodwill' },
    ReserveBalance: { ...action, relatedParty },
    CustomerBillOnDemand: { billingAccount: { id: `tenant:${tenant}` } },
  }
}

export { DEFECTS, type Defect } from './defects.ts'
export { SUPPLIER_CONTEXT, SUPPLIER_KEY, SUPPLIER_MODEL, startSupplier, type Supplier } from './server.ts'

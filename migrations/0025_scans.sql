-- Whose request a correction is about, so that a tenant's newest are found without its records.
alter table charging.correction add column tenant text collate "C";
alter table charging.correction disable trigger append_only;
update charging.correction c set tenant = u.tenant from charging.usage_record u where u.id = c.usage_id;
alter table charging.correction enable trigger append_only;
alter table charging.correction alter column tenant set not null;
create index correction_by_tenant on charging.correction (tenant, made_at_ms desc);

-- Documents and subscriptions in the order in which they were made, for lists that are read page by page.
create index document_by_time on billing.document (created_at_ms, id);

-- Who was asked to share, and has not answered.
create table ordering.invitation (
  subscription  text collate "C" not null references ordering.subscription (id),
  tenant        text collate "C" not null,
  invited_at_ms bigint not null,
  invited_by    text not null,
  primary key (subscription, tenant)
);
create index invitation_by_tenant on ordering.invitation (tenant);

-- What an order that waits for an approval will cost and bring: the price that was shown to the buyer.
create table ordering.promise (
  "order" text collate "C" primary key references ordering.product_order (id),
  priced  jsonb not null
);

-- Quotes that are still open, to be counted.
create index quote_open on ordering.quote (tenant, expires_at_ms);

-- Credit has two sources, which add up and do not replace each other: what an operator declared, and what was ordered.
alter table charging.bucket
  add column credit_declared numeric(38, 0) not null default 0 check (credit_declared >= 0),
  add column credit_ordered numeric(38, 0) not null default 0 check (credit_ordered >= 0);
update charging.bucket b set credit_ordered = credit_agreed
 where kind = 'wallet' and credit_agreed > 0
   and exists (select 1 from ordering.subscription s
                where s.tenant = b.tenant and s.state in ('active', 'suspended') and s.entitlements @> '[{"kind": "credit"}]');
update charging.bucket set credit_declared = credit_agreed where kind = 'wallet' and credit_ordered = 0;

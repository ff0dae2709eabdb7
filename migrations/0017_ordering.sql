-- What can be bought, and what was bought: offers, quotes, orders, subscriptions, arrears. Amounts are whole pico-yuan.
create table catalogue.offer (
  id             text collate "C" primary key,
  kind           text not null check (kind in ('package', 'throughput-tpm', 'provisioned', 'spend-per-minute', 'plan', 'postpaid')),
  state          text not null check (state in ('draft', 'launched', 'retired')),
  content        jsonb not null,
  created_at_ms  bigint not null,
  launched_at_ms bigint,
  retired_at_ms  bigint,
  check (state <> 'launched' or launched_at_ms is not null),
  check ((state = 'retired') = (retired_at_ms is not null))
);

-- What was launched never changes again: it is what people bought.
create function catalogue.refuse_offer_change() returns trigger language plpgsql as $$
begin
  raise exception 'offer % was launched: its content never changes', old.id using errcode = '23000', constraint = 'launched_offer_is_immutable';
end $$;
create trigger launched_offer_is_immutable before update on catalogue.offer
  for each row when (old.launched_at_ms is not null
                     and (old.content is distinct from new.content or old.launched_at_ms is distinct from new.launched_at_ms))
  execute function catalogue.refuse_offer_change();

create schema ordering;

-- One row per tenant that ever ordered. Whoever changes what a tenant has ordered locks it first.
create table ordering.desk (
  tenant text collate "C" primary key
);

create table ordering.quote (
  id            text collate "C" primary key,
  tenant        text collate "C" not null,
  offer         text collate "C" not null references catalogue.offer (id),
  configuration jsonb not null,
  priced        jsonb not null,
  created_by    text not null,
  created_at_ms bigint not null,
  expires_at_ms bigint not null check (expires_at_ms > created_at_ms)
);
create index quote_by_tenant on ordering.quote (tenant, id);
create index quote_by_offer on ordering.quote (offer);

create table ordering.subscription (
  id            text collate "C" primary key,
  tenant        text collate "C" not null,
  offer         text collate "C" not null references catalogue.offer (id),
  configuration jsonb not null,
  entitlements  jsonb not null,
  state         text not null check (state in ('created', 'pendingActive', 'cancelled', 'active', 'pendingTerminate', 'terminated', 'suspended', 'aborted')),
  -- Months are counted from here.
  anchor_ms     bigint not null,
  starts_at_ms  bigint not null,
  ends_at_ms    bigint,
  auto_renew    boolean not null,
  -- Attempts to renew the present term so far, and when the next one is due; null: none is.
  attempts      integer not null default 0 check (attempts >= 0),
  renew_at_ms   bigint,
  created_at_ms bigint not null,
  check (ends_at_ms is null or ends_at_ms >= starts_at_ms)
);
create index subscription_by_tenant on ordering.subscription (tenant, id);
create index subscription_by_offer on ordering.subscription (offer);
create index subscription_renewing on ordering.subscription (renew_at_ms) where renew_at_ms is not null;
create index subscription_ending on ordering.subscription (ends_at_ms) where state in ('active', 'suspended');

create table ordering.product_order (
  id              text collate "C" primary key,
  tenant          text collate "C" not null,
  idempotency_key text collate "C" not null,
  -- SHA-256 of what was asked: the same key with another request is a mistake, not a repetition.
  content_hash    text not null,
  action          text not null check (action in ('add', 'modify', 'delete')),
  cause           text not null check (cause in ('order', 'renewal', 'change', 'cancellation')),
  offer           text collate "C" not null references catalogue.offer (id),
  configuration   jsonb not null,
  quote           text collate "C" unique references ordering.quote (id),
  subscription    text collate "C" references ordering.subscription (id),
  state           text not null check (state in ('acknowledged', 'rejected', 'pending', 'held', 'inProgress', 'cancelled', 'completed', 'failed', 'partial', 'assessingCancellation', 'pendingCancellation')),
  gross           numeric(38, 0) not null default 0 check (gross >= 0),
  net             numeric(38, 0) not null default 0 check (net >= 0 and net <= gross),
  refund          numeric(38, 0) not null default 0 check (refund >= 0),
  failure         jsonb,
  created_at_ms   bigint not null,
  ended_at_ms     bigint,
  unique (tenant, idempotency_key)
);
create index product_order_by_tenant on ordering.product_order (tenant, id);
create index product_order_by_subscription on ordering.product_order (subscription);
create index product_order_by_offer on ordering.product_order (offer);
-- One change waits for the end of a term, not two.
create unique index product_order_waiting on ordering.product_order (subscription) where state = 'pending';

-- What was paid for a span of time, and how much of it was given back. `reference` names the fee in charging; null: it cost nothing.
create table ordering.term (
  subscription text collate "C" not null references ordering.subscription (id),
  seq          integer not null check (seq >= 1),
  product_order text collate "C" not null references ordering.product_order (id),
  offer        text collate "C" not null references catalogue.offer (id),
  from_ms      bigint not null,
  to_ms        bigint,
  gross        numeric(38, 0) not null check (gross >= 0),
  net          numeric(38, 0) not null check (net >= 0 and net <= gross),
  refunded     numeric(38, 0) not null default 0 check (refunded >= 0 and refunded <= gross),
  reference    text collate "C" unique,
  -- What the lots that came with it were granted under.
  lots         text[] not null,
  -- Ids of the definitions in charging of what is reserved by it.
  definitions  text[] not null,
  ended        boolean not null default false,
  primary key (subscription, seq),
  check ((reference is null) = (gross = 0))
);
create index term_by_order on ordering.term (product_order);

create table ordering.member (
  subscription text collate "C" not null references ordering.subscription (id),
  tenant       text collate "C" not null,
  since_ms     bigint not null,
  until_ms     bigint,
  primary key (subscription, tenant, since_ms)
);
create unique index member_now on ordering.member (subscription, tenant) where until_ms is null;
create index member_by_tenant on ordering.member (tenant);

create table ordering.arrears (
  tenant   text collate "C" primary key,
  state    text not null check (state in ('clear', 'grace', 'restricted', 'suspended')),
  since_ms bigint not null
);

-- What a tenant owes: an invoice that is overdue, a fee that could not be taken.
create table ordering.debt (
  tenant        text collate "C" not null,
  kind          text not null check (kind in ('invoice', 'fee')),
  reference     text collate "C" not null,
  since_ms      bigint not null,
  cleared_at_ms bigint,
  primary key (tenant, kind, reference)
);

-- Every change of a state: who, when and why. `subject` is what kind of thing `id` names.
create table ordering.transition (
  subject    text not null check (subject in ('order', 'subscription', 'arrears')),
  id         text collate "C" not null,
  seq        integer not null check (seq >= 1),
  from_state text,
  to_state   text not null,
  at_ms      bigint not null,
  by         text not null,
  reason     text not null,
  primary key (subject, id, seq),
  check ((seq = 1) = (from_state is null))
);
create function ordering.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '%.% is append-only', tg_table_schema, tg_table_name using errcode = '23000';
end $$;
create trigger append_only before update or delete or truncate on ordering.transition
  for each statement execute function ordering.refuse_change();

-- What arrears make of a tenant, beside what the operator declared: the stricter of the two holds.
alter table identity.tenant add column arrears text not null default 'clear' check (arrears in ('clear', 'restricted', 'suspended'));

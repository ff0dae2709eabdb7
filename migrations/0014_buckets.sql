-- Everything that gateways may spend is a bucket: wallets, token lots in the unit of a conversion table, reservations and spend caps that
-- are refilled by time. A bucket's amounts are in its own unit: pico-yuan for CNY, else millionths of the table's unit.
create table charging.bucket (
  id            text collate "C" primary key check (id ~ '^[a-z]+:[!-~]{1,200}$'),
  tenant        text collate "C" not null,
  kind          text not null check (kind in ('wallet', 'tokens', 'throughput', 'cap')),
  unit          text collate "C" not null,
  posted        numeric(38, 0) not null default 0,
  escrowed      numeric(38, 0) not null default 0,
  -- How far below zero `posted` may go: a postpaid tenant's limit. Only wallets have one.
  credit_limit  numeric(38, 0) not null default 0 check (credit_limit >= 0),
  -- `strict`: what a lost gateway held stays set aside until its records or an operator come. `available`: it is given back by itself.
  mode          text not null default 'strict' check (mode in ('strict', 'available')),
  -- For what is refilled by time: what it is a period of, and when. Null for wallets and lots.
  definition    text collate "C",
  valid_from_ms bigint,
  valid_to_ms   bigint,
  constraint bucket_never_overspent check (posted + credit_limit >= escrowed and escrowed >= 0),
  check (kind = 'wallet' or credit_limit = 0),
  check ((definition is null) = (kind in ('wallet', 'tokens'))),
  check ((definition is null) = (valid_from_ms is null) and (valid_from_ms is null) = (valid_to_ms is null))
);
create index bucket_by_tenant on charging.bucket (tenant, kind);
create index bucket_by_definition on charging.bucket (definition, valid_to_ms) where definition is not null;

insert into charging.bucket (id, tenant, kind, unit, posted, escrowed)
  select 'wallet:' || tenant, tenant, 'wallet', 'CNY', posted, escrowed from charging.wallet;

-- What fills a bucket anew with each period: a reservation's dimension or a spend cap.
create table charging.definition (
  id            text collate "C" primary key check (id ~ '^(throughput|cap):[!-~]{1,160}$'),
  tenant        text collate "C" not null,
  kind          text not null check (kind in ('throughput', 'cap')),
  unit          text collate "C" not null,
  period        text not null check (period in ('minute', 'day', 'month')),
  amount        numeric(38, 0) not null check (amount >= 0),
  valid_from_ms bigint not null,
  valid_to_ms   bigint
);
create index definition_by_tenant on charging.definition (tenant);

-- What a wallet or token bucket is made of. It burns by priority (lower first), then by expiry, then by id; what is left of a wallet
-- after its lots are gone is credit.
create table charging.lot (
  id            text collate "C" primary key,
  bucket        text collate "C" not null references charging.bucket (id),
  source        text not null check (source in ('paid', 'gift', 'sla', 'package')),
  -- What brought it about; once each.
  reference     text collate "C" not null unique,
  granted       numeric(38, 0) not null check (granted > 0),
  remaining     numeric(38, 0) not null,
  priority      integer not null default 100 check (priority between 0 and 1000),
  valid_from_ms bigint not null,
  expires_at_ms bigint,
  -- A package's price without tax, deferred when it was sold, and how much of it is revenue by now. Zero for the others.
  net           numeric(38, 0) not null default 0 check (net >= 0),
  recognised    numeric(38, 0) not null default 0,
  state         text not null default 'active' check (state in ('active', 'expired', 'refunded')),
  created_at_ms bigint not null,
  check (remaining >= 0 and remaining <= granted),
  check (recognised >= 0 and recognised <= net)
);
create index lot_by_bucket on charging.lot (bucket) where remaining > 0;
create index lot_expiring on charging.lot (expires_at_ms) where remaining > 0 and expires_at_ms is not null;

insert into charging.lot (id, bucket, source, reference, granted, remaining, valid_from_ms, created_at_ms)
  select 'lot_opening_' || tenant, 'wallet:' || tenant, 'paid', 'opening:' || tenant, posted, posted, 0, 0 from charging.wallet where posted > 0;

-- Slices are of buckets now.
alter table charging.slice add column bucket text collate "C" references charging.bucket (id);
update charging.slice set bucket = 'wallet:' || tenant;
alter table charging.slice alter column bucket set not null;
drop index charging.slice_by_tenant;
alter table charging.slice drop column tenant;
create index slice_by_bucket on charging.slice (bucket);
alter table charging.slice drop constraint slice_state_check;
alter table charging.slice add constraint slice_state_check check (state in ('open', 'closed', 'released', 'reclaimed'));

alter table charging.topup drop constraint topup_tenant_fkey;
drop table charging.wallet;

-- Who may pay with whose wallet and tokens: a family, the departments of a company.
create table charging.share (
  owner      text collate "C" not null,
  member     text collate "C" not null,
  since_ms   bigint not null,
  until_ms   bigint,
  primary key (owner, member, since_ms),
  check (owner <> member)
);
create index share_by_member on charging.share (member);

-- What a record drew on beside the wallet (null: nothing), and which lots it burned: lots[i] gave lot_amounts[i]; what they leave of
-- `sell` is credit. They are written with the record and, like it, never change.
alter table charging.usage_record
  add column payer text collate "C",
  add column tier text,
  add column draws jsonb,
  add column lots text[],
  add column lot_amounts numeric(38, 0)[];

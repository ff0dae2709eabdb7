-- Prices that depend on tier, hour and length of input; conversion tables; holiday calendars; projects of tenants.

-- `peak` says when prices are at their peak (null: never). `variants` are asked in their order, the first that fits decides; their prices
-- are decimal strings of pico-yuan per token, as they were expanded when the sheet was declared.
alter table catalogue.price_sheet
  add column peak jsonb check (peak is null or jsonb_typeof(peak) = 'object'),
  add column variants jsonb not null default '[]' check (jsonb_typeof(variants) = 'array');

create table catalogue.conversion_table (
  id           text collate "C" primary key check (id ~ '^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$'),
  display_name text not null
);

-- What one token of a service and class takes of lots in the table's unit, in millionths of a unit, as decimal strings.
create table catalogue.table_version (
  id            text collate "C" primary key,
  "table"       text collate "C" not null references catalogue.conversion_table (id),
  valid_from_ms bigint not null,
  -- as declared; an open end is closed by the next version
  valid_to_ms   bigint check (valid_to_ms > valid_from_ms),
  weights       jsonb not null check (jsonb_typeof(weights) = 'array'),
  -- Announced, and replaced by another one before it began.
  withdrawn     boolean not null default false
);
create index table_version_table on catalogue.table_version ("table");

-- Public holidays and the weekend days that are worked for them. What a day was never changes once it has begun.
create table catalogue.calendar (
  id                  text collate "C" primary key check (id ~ '^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$'),
  display_name        text   not null,
  source              text   not null,
  covers_from         text   not null check (covers_from ~ '^\d{4}-\d{2}-\d{2}$'),
  covers_to           text   not null check (covers_to ~ '^\d{4}-\d{2}-\d{2}$' and covers_to >= covers_from),
  holidays            text[] not null,
  worked_weekend_days text[] not null
);

-- A tenant in arrears is served only what it has paid for already.
alter table identity.tenant drop constraint tenant_status_check;
alter table identity.tenant add constraint tenant_status_check check (status in ('active', 'restricted', 'suspended'));

create table identity.project (
  tenant       text not null references identity.tenant (id),
  id           text collate "C" not null check (id ~ '^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$'),
  display_name text not null,
  primary key (tenant, id)
);
alter table identity.api_key add column project text;
alter table identity.api_key add constraint api_key_project foreign key (tenant, project) references identity.project (tenant, id);
create index api_key_project on identity.api_key (tenant, project) where project is not null;

-- Wallets that a file shares. Shares that came with an order are not here, and a file does not end them.
create table catalogue.declared_share (
  owner  text collate "C" not null,
  member text collate "C" not null,
  primary key (owner, member),
  check (owner <> member)
);

-- What gateways were last told of how requests are paid for. It changes with orders, and by time alone; an empty text is: nothing special.
alter table catalogue.revision add column funding_hash text not null default '';

-- What is sold, at which price, and who delivers it at which cost.

create schema catalogue;

-- One row. `version` counts up with every change that a gateway must hear of; `engine_url` is where the embedded engine was last.
create table catalogue.revision (
  only_row   boolean primary key default true check (only_row),
  version    bigint  not null default 1,
  engine_url text
);
insert into catalogue.revision default values;

create table catalogue.supplier (
  id               text primary key check (id ~ '^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$'),
  display_name     text    not null,
  kind             text    not null check (kind in ('embedded', 'openai-compatible')),
  -- null for the embedded engine, which tells us where it listens when it starts
  base_url         text,
  api_key_env      text,
  max_concurrency  integer not null check (max_concurrency >= 1),
  max_tokens_field text    not null check (max_tokens_field in ('max_tokens', 'max_completion_tokens')),
  check ((kind = 'embedded') = (base_url is null))
);

create table catalogue.service (
  id                    text primary key,
  display_name          text        not null,
  context_tokens        integer     not null check (context_tokens >= 1),
  max_output_tokens     integer     not null check (max_output_tokens between 1 and context_tokens),
  tokenizer             jsonb       not null,
  tenants               text[]      not null,
  first_byte_timeout_ms integer     not null check (first_byte_timeout_ms >= 1),
  idle_timeout_ms       integer     not null check (idle_timeout_ms >= 1),
  total_timeout_ms      integer     not null check (total_timeout_ms >= 1),
  created_at            timestamptz not null
);

create table catalogue.deployment (
  service  text    not null references catalogue.service (id),
  supplier text    not null references catalogue.supplier (id),
  model    text    not null,
  priority integer not null check (priority between 0 and 1000),
  primary key (service, supplier, model)
);
create index deployment_supplier on catalogue.deployment (supplier);

-- Sell sheets belong to a service, buy sheets to a service with a supplier's model. A deployment may end; its sheets stay, because
-- usage records name them for ever.
create table catalogue.price_sheet (
  id             text        primary key,
  service        text        not null references catalogue.service (id),
  side           text        not null check (side in ('sell', 'buy')),
  supplier       text        references catalogue.supplier (id),
  model          text,
  currency       text        not null check (currency = 'CNY'),
  valid_from     timestamptz not null,
  -- as declared; an open end is closed by the next sheet of the same line
  valid_to       timestamptz check (valid_to > valid_from),
  tax_percent    integer     not null check (tax_percent between 0 and 100),
  -- pico-yuan per token and class, tax included
  uncached_input numeric(38, 0) not null check (uncached_input >= 0),
  cache_write    numeric(38, 0) not null check (cache_write >= 0),
  cache_read     numeric(38, 0) not null check (cache_read >= 0),
  output         numeric(38, 0) not null check (output >= 0),
  reasoning      numeric(38, 0) not null check (reasoning >= 0),
  check ((side = 'sell') = (supplier is null)),
  check ((supplier is null) = (model is null))
);
create index price_sheet_service on catalogue.price_sheet (service);
create index price_sheet_supplier on catalogue.price_sheet (supplier);

-- Who may call, and who may sign in. Secrets are kept as hashes only.

create schema identity;

-- One row. Counts up with every change that a gateway must hear of, in the transaction that makes it.
create table identity.revision (
  only_row boolean primary key default true check (only_row),
  version  bigint  not null default 1
);
insert into identity.revision default values;

create table identity.tenant (
  id           text        primary key check (id ~ '^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$'),
  display_name text        not null,
  status       text        not null check (status in ('active', 'suspended')),
  limits       jsonb       not null,
  created_at   timestamptz not null
);

create table identity.api_key (
  id         text        primary key check (id ~ '^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$'),
  tenant     text        not null references identity.tenant (id),
  name       text        not null,
  purpose    text        not null check (purpose in ('api', 'playground')),
  -- base64 of SHA-256 over the whole key text
  hash       text        not null unique,
  preview    text        not null,
  status     text        not null check (status in ('active', 'revoked')),
  limits     jsonb       not null,
  created_at timestamptz not null,
  expires_at timestamptz,
  check (purpose = 'api' or expires_at is not null)
);
create index api_key_tenant on identity.api_key (tenant);

create table identity.account (
  email         text        primary key check (email = lower(email)),
  role          text        not null check (role in ('operator', 'tenant')),
  tenant        text        references identity.tenant (id),
  password_hash text        not null,
  created_at    timestamptz not null,
  -- an operator belongs to no tenant, everybody else to exactly one
  check ((role = 'operator') = (tenant is null))
);
create index account_tenant on identity.account (tenant);

create table identity.session (
  -- base64 of SHA-256 over the cookie's token
  token_hash text        primary key,
  email      text        not null references identity.account (email) on delete cascade,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
create index session_email on identity.session (email);
create index session_expiry on identity.session (expires_at);

-- What the scheduler is told: `{}` where the factory's file says nothing. Members as in the contract's snapshot.
alter table catalogue.supplier add column terms jsonb not null default '{}';
alter table catalogue.deployment add column terms jsonb not null default '{}';
alter table catalogue.service add column terms jsonb not null default '{}';
alter table identity.tenant add column terms jsonb not null default '{}';

-- The network between two regions, both ways, so the first in the alphabet comes first.
create table catalogue.link (
  from_region   text collate "C" not null,
  to_region     text collate "C" not null,
  rtt_ms        integer not null check (rtt_ms >= 0),
  mebibyte_pico numeric(38, 0) not null check (mebibyte_pico >= 0),
  primary key (from_region, to_region),
  check (from_region < to_region)
);

-- What a contract asks of routing. `terms` as in the contract's `Commitment`.
create table catalogue.commitment (
  id        text collate "C" primary key,
  supplier  text collate "C" not null references catalogue.supplier (id),
  services  text[] not null check (cardinality(services) > 0),
  from_ms   bigint not null,
  to_ms     bigint not null check (to_ms > from_ms),
  terms     jsonb not null
);
-- How much of each was last told to gateways, so that they are told when it has changed.
alter table catalogue.revision add column delivered_hash text not null default '';

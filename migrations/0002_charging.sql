-- Wallets, the slices of them that gateways hold, and the usage records that spend slices. Amounts are whole pico-yuan.
create schema charging;

create table charging.wallet (
  tenant   text collate "C" primary key,
  posted   numeric(38, 0) not null default 0,
  escrowed numeric(38, 0) not null default 0,
  constraint wallet_never_overspent check (posted >= escrowed and escrowed >= 0)
);

create table charging.gateway (
  id    text collate "C" primary key,
  epoch bigint not null check (epoch >= 1)
);

create table charging.slice (
  id             text collate "C" primary key,
  gateway        text collate "C" not null references charging.gateway (id),
  epoch          bigint not null,
  seq            bigint not null,
  tenant         text collate "C" not null references charging.wallet (tenant),
  amount         numeric(38, 0) not null check (amount >= 0),
  settled        numeric(38, 0) not null default 0,
  records        bigint not null default 0 check (records >= 0),
  tight          boolean not null,
  -- `released`: an operator gave the rest back without having all records; `closed`: the gateway did, with all of them.
  state          text not null default 'open' check (state in ('open', 'closed', 'released')),
  granted_at_ms  bigint not null,
  valid_until_ms bigint not null,
  closed_at_ms   bigint,
  unique (gateway, epoch, seq),
  constraint slice_never_overspent check (settled >= 0 and settled <= amount),
  check ((state = 'open') = (closed_at_ms is null))
);
create index slice_by_tenant on charging.slice (tenant);
create index slice_open_by_gateway on charging.slice (gateway) where state = 'open';

-- One row per request, for ever. The columns repeat what queries need from `record`; `verify` proves that they agree.
-- No foreign key to the slice: ingest has it locked, and a check per row would cost a tenth of the throughput.
-- Partitions by month come when a single table is too large to vacuum in a night; `id` sorts by time, so they can follow it.
create table charging.usage_record (
  id              text collate "C" primary key,
  content_hash    bytea not null check (octet_length(content_hash) = 32),
  posting_id      text collate "C" not null,
  slice           text collate "C",
  tenant          text collate "C" not null,
  key             text collate "C" not null,
  service         text collate "C" not null,
  supplier        text collate "C" not null,
  ending          text not null,
  completed_at_ms bigint not null,
  uncached_input  bigint not null,
  cache_write     bigint not null,
  cache_read      bigint not null,
  output          bigint not null,
  reasoning       bigint not null,
  -- Index into the histogram's buckets; null where no first token was seen.
  ttft_bucket     smallint,
  -- The output tokens that were streamed, and how long that took: together the speed of generation.
  paced_tokens    bigint not null,
  paced_ms        bigint not null,
  sell            numeric(38, 0) not null check (sell >= 0),
  tax             numeric(38, 0) not null check (tax >= 0 and tax <= sell),
  buy             numeric(38, 0) not null check (buy >= 0),
  record          jsonb not null,
  check (sell = 0 or (slice is not null and ending in ('completed', 'client_closed')))
);
create index usage_record_by_tenant on charging.usage_record (tenant, id);
create index usage_record_by_posting on charging.usage_record (posting_id);

create function charging.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '%.% is append-only', tg_table_schema, tg_table_name using errcode = '23000';
end $$;
create trigger append_only before update or delete or truncate on charging.usage_record for each statement execute function charging.refuse_change();

-- Records that break an invariant, kept for an operator. Text and not jsonb: what arrives here may be anything.
create table charging.usage_quarantine (
  id             text not null,
  content_hash   bytea not null check (octet_length(content_hash) = 32),
  gateway        text not null,
  reason         text not null,
  record         text not null,
  received_at_ms bigint not null,
  -- `accepted`: the same content was delivered again after the cause was gone, and is posted now.
  state          text not null default 'open' check (state in ('open', 'accepted', 'dismissed')),
  primary key (id, content_hash)
);
create index usage_quarantine_open on charging.usage_quarantine (received_at_ms) where state = 'open';

-- Sums of usage records by minute and by hour, updated in the transaction that inserts the records.
create table charging.usage_rollup (
  span           text collate "C" not null check (span in ('minute', 'hour')),
  start_ms       bigint not null,
  tenant         text collate "C" not null,
  service        text collate "C" not null,
  supplier       text collate "C" not null,
  key            text collate "C" not null,
  requests       bigint not null,
  failed         bigint not null,
  uncached_input bigint not null,
  cache_write    bigint not null,
  cache_read     bigint not null,
  output         bigint not null,
  reasoning      bigint not null,
  paced_tokens   bigint not null,
  paced_ms       bigint not null,
  -- One count per bucket of the time-to-first-token histogram.
  ttft           bigint[] not null,
  sell           numeric(38, 0) not null,
  buy            numeric(38, 0) not null,
  primary key (span, start_ms, tenant, service, supplier, key)
);
create index usage_rollup_by_tenant on charging.usage_rollup (tenant, span, start_ms);

create function charging.add_counts(a bigint[], b bigint[]) returns bigint[] language sql immutable strict parallel safe as $$
  select array_agg(coalesce(x, 0) + coalesce(y, 0) order by i) from unnest(a, b) with ordinality as pair (x, y, i)
$$;
create aggregate charging.sum_counts (bigint[]) (sfunc = charging.add_counts, stype = bigint[], combinefunc = charging.add_counts, parallel = safe);

create table charging.topup (
  reference    text collate "C" primary key,
  tenant       text collate "C" not null references charging.wallet (tenant),
  amount       numeric(38, 0) not null check (amount > 0),
  posting_id   text collate "C" not null unique,
  booked_at_ms bigint not null
);
create index topup_by_tenant on charging.topup (tenant);
create trigger append_only before update or delete or truncate on charging.topup for each statement execute function charging.refuse_change();

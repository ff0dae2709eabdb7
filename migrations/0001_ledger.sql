-- The books: double entry, append-only, hash-chained. Amounts are whole pico-yuan; a debit is positive, a credit negative.
create schema ledger;

create table ledger.account (
  code text collate "C" primary key check (code ~ '^[0-9]{4}(:[!-~]{1,130})?$'),
  type text not null check (type in ('asset', 'liability', 'income', 'expense'))
);

create table ledger.posting (
  -- Position in the chain, without gaps: assigned under the lock on the chain's head.
  seq          bigint primary key check (seq >= 1),
  id           text collate "C" not null unique,
  key          text collate "C" not null unique,
  -- SHA-256 of what was asked to be posted: the same key with another input is a mistake, not a repetition.
  input_hash   bytea not null check (octet_length(input_hash) = 32),
  kind         text not null,
  memo         text not null,
  booked_at_ms bigint not null check (booked_at_ms >= 0),
  entry_count  integer not null check (entry_count >= 0),
  -- SHA-256 over the facts behind the posting, and how many facts there are.
  evidence     bytea check (octet_length(evidence) = 32),
  facts        integer not null check (facts >= 0),
  prev_hash    bytea not null check (octet_length(prev_hash) = 32),
  hash         bytea not null check (octet_length(hash) = 32)
);

-- One entry per account and posting: what several facts move on one account is summed before it is posted.
create table ledger.entry (
  posting_seq bigint not null references ledger.posting (seq),
  account     text collate "C" not null references ledger.account (code),
  amount      numeric(38, 0) not null check (amount <> 0),
  primary key (posting_seq, account)
);
create index entry_by_account on ledger.entry (account, posting_seq);

-- A projection: always the sum of the entries, never the truth.
create table ledger.balance (
  account text collate "C" primary key references ledger.account (code),
  amount  numeric(38, 0) not null,
  entries bigint not null check (entries >= 0)
);

-- A wallet is what we owe a tenant. A debit balance would mean that the tenant spent money it did not have.
-- A trigger, because a check constraint would also judge the amount that an upsert only adds.
create function ledger.refuse_overdraft() returns trigger language plpgsql as $$
begin
  raise exception 'account % would be overdrawn by %', new.account, new.amount using errcode = '23514', constraint = 'wallet_not_overdrawn';
end $$;
create trigger wallet_not_overdrawn after insert or update on ledger.balance
  for each row when (new.account like '2000:%' and new.amount > 0) execute function ledger.refuse_overdraft();

create table ledger.chain_head (
  only_one boolean primary key default true check (only_one),
  seq      bigint not null,
  hash     bytea not null check (octet_length(hash) = 32)
);
insert into ledger.chain_head (seq, hash) values (0, decode(repeat('00', 32), 'hex'));

create function ledger.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '%.% is append-only: correct it by a new posting', tg_table_schema, tg_table_name using errcode = '23000';
end $$;

create trigger append_only before update or delete or truncate on ledger.posting for each statement execute function ledger.refuse_change();
create trigger append_only before update or delete or truncate on ledger.entry for each statement execute function ledger.refuse_change();

-- At commit every new posting has all its entries, and they sum to zero.
create function ledger.check_posting() returns trigger language plpgsql as $$
declare
  total numeric;
  found_entries bigint;
begin
  select coalesce(sum(amount), 0), count(*) into total, found_entries from ledger.entry where posting_seq = new.seq;
  if total <> 0 then
    raise exception 'posting % does not sum to zero: %', new.seq, total using errcode = '23514', constraint = 'posting_sums_to_zero';
  end if;
  if found_entries <> new.entry_count then
    raise exception 'posting % has % entries, not %', new.seq, found_entries, new.entry_count using errcode = '23514', constraint = 'posting_is_complete';
  end if;
  return null;
end $$;

create constraint trigger posting_sums_to_zero after insert on ledger.posting
  deferrable initially deferred for each row execute function ledger.check_posting();

-- And no later statement can add to a posting that is complete. Per statement, because a posting may have thousands of entries.
create function ledger.check_new_entries() returns trigger language plpgsql as $$
declare
  wrong bigint;
begin
  select p.seq into wrong
    from (select distinct posting_seq from fresh) f
    join ledger.posting p on p.seq = f.posting_seq
   where (select count(*) from ledger.entry e where e.posting_seq = p.seq) > p.entry_count
   limit 1;
  if wrong is not null then
    raise exception 'posting % is complete: it takes no more entries', wrong using errcode = '23514', constraint = 'posting_is_complete';
  end if;
  return null;
end $$;

create trigger posting_is_complete after insert on ledger.entry
  referencing new table as fresh for each statement execute function ledger.check_new_entries();

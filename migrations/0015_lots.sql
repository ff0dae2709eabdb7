-- Units of the ledger: accounts below 8000 are in CNY, the others in millionths of the unit of the conversion table they name.
create function ledger.unit_of(account text) returns text language sql immutable strict parallel safe as $$
  select case when account collate "C" < '8000' then 'CNY' else substring(account from '[^:/]*$') end
$$;

alter table ledger.account drop constraint account_type_check;
alter table ledger.account add constraint account_type_check
  check (type in ('asset', 'liability', 'income', 'expense', 'statistical'));

-- At commit every new posting has all its entries, and they sum to zero in every unit.
create or replace function ledger.check_posting() returns trigger language plpgsql as $$
declare
  total text;
  found_entries bigint;
begin
  select string_agg(sum || ' ' || unit, ', ') filter (where sum <> 0), coalesce(sum(entries), 0) into total, found_entries
    from (select ledger.unit_of(account) as unit, sum(amount) as sum, count(*) as entries
            from ledger.entry where posting_seq = new.seq group by 1) by_unit;
  if total is not null then
    raise exception 'posting % does not sum to zero: %', new.seq, total using errcode = '23514', constraint = 'posting_sums_to_zero';
  end if;
  if found_entries <> new.entry_count then
    raise exception 'posting % has % entries, not %', new.seq, found_entries, new.entry_count using errcode = '23514', constraint = 'posting_is_complete';
  end if;
  return null;
end $$;

-- What tenants have in lots, of money or of tokens, is never less than nothing.
drop trigger wallet_not_overdrawn on ledger.balance;
create trigger wallet_not_overdrawn after insert or update on ledger.balance
  for each row when (new.amount > 0 and (new.account like '2000:%' or new.account like '2001:%' or new.account like '8010:%'))
  execute function ledger.refuse_overdraft();

alter table charging.bucket
  -- In which order new lots of a wallet burn when nothing else is said.
  add column gift_priority integer not null default 50 check (gift_priority between 0 and 1000),
  add column paid_priority integer not null default 100 check (paid_priority between 0 and 1000),
  -- What was served beyond a wallet, on slices that had been reclaimed; the next payment settles it first.
  add column overrun numeric(38, 0) not null default 0 check (overrun >= 0),
  -- What a period's bucket was filled with.
  add column granted numeric(38, 0) not null default 0;

-- What a reservation is besides its amount: which services, when, what happens beyond it. Charging hands it on to gateways.
alter table charging.definition add column terms jsonb;

alter table charging.lot drop constraint lot_state_check;
-- `pending`: bought, and not in its bucket before valid_from_ms.
alter table charging.lot add constraint lot_state_check check (state in ('pending', 'active', 'expired', 'refunded'));
create index lot_pending on charging.lot (valid_from_ms) where state = 'pending';

-- Who paid what of `sell`: the parts that lots of gifts, credit and nobody yet (`overrun`) covered; null for none, the rest is paid
-- lots. `booked_tax` is the tax on what is not a gift, where that differs from `tax`.
alter table charging.usage_record
  add column gift numeric(38, 0),
  add column credit numeric(38, 0),
  add column overrun numeric(38, 0),
  add column booked_tax numeric(38, 0);

alter table charging.topup add column repaid numeric(38, 0) not null default 0 check (repaid >= 0 and repaid <= amount);

-- Fees that were charged: what is refunded and, for those that are earned over time, what is revenue by now.
create table charging.fee (
  reference     text collate "C" primary key,
  tenant        text collate "C" not null,
  amount        numeric(38, 0) not null check (amount >= 0),
  net           numeric(38, 0) not null check (net >= 0 and net <= amount),
  credit        numeric(38, 0) not null check (credit >= 0 and credit <= amount),
  revenue       text not null check (revenue in ('package', 'reservation', 'other')),
  from_ms       bigint,
  to_ms         bigint,
  recognised    numeric(38, 0) not null default 0 check (recognised >= 0),
  refunded      numeric(38, 0) not null default 0 check (refunded >= 0 and refunded <= amount),
  refunded_net  numeric(38, 0) not null default 0 check (refunded_net >= 0),
  charged_at_ms bigint not null,
  check ((from_ms is null) = (to_ms is null) and (from_ms is null or from_ms < to_ms)),
  check (recognised + refunded_net <= net)
);
create index fee_by_tenant on charging.fee (tenant, charged_at_ms);
create index fee_to_recognise on charging.fee (from_ms) where from_ms is not null and recognised + refunded_net < net;

-- Everything beside usage and payments that moves wallets, lots or deferred revenue. `detail` is all that its entries follow from.
create table charging.booking (
  key          text collate "C" primary key,
  kind         text not null,
  tenant       text collate "C" not null,
  -- What it corrects: the reference of a fee or the id of a usage record.
  about        text collate "C",
  detail       jsonb not null,
  posting_id   text collate "C" not null,
  booked_at_ms bigint not null
);
create index booking_by_posting on charging.booking (posting_id);
create index booking_by_tenant on charging.booking (tenant, booked_at_ms);
create index booking_by_about on charging.booking (about) where about is not null;
create trigger append_only before update or delete or truncate on charging.booking for each statement execute function charging.refuse_change();

-- How bookings changed what is left of lots.
create table charging.lot_move (
  booking text collate "C" not null references charging.booking (key),
  lot     text collate "C" not null references charging.lot (id),
  amount  numeric(38, 0) not null check (amount <> 0),
  -- In which order the lots burned: what is given back goes back in reverse.
  position integer not null,
  primary key (booking, lot)
);
create index lot_move_by_lot on charging.lot_move (lot);
create trigger append_only before update or delete or truncate on charging.lot_move for each statement execute function charging.refuse_change();

-- What a usage record costs after it was rated again or given back: the newest version holds. The columns are those of the record.
create table charging.correction (
  usage_id    text collate "C" not null references charging.usage_record (id),
  version     integer not null check (version >= 1),
  kind        text not null check (kind in ('rerate', 'refund')),
  booking     text collate "C" not null unique references charging.booking (key),
  sell        numeric(38, 0) not null check (sell >= 0),
  tax         numeric(38, 0) not null check (tax >= 0 and tax <= sell),
  sell_sheet  text not null,
  -- False: the tokens that the record drew from lots were given back.
  draws_kept  boolean not null,
  lots        text[],
  lot_amounts numeric(38, 0)[],
  gift        numeric(38, 0),
  credit      numeric(38, 0),
  overrun     numeric(38, 0),
  booked_tax  numeric(38, 0),
  reason      text not null,
  decided_by  text not null,
  made_at_ms  bigint not null,
  primary key (usage_id, version)
);
create trigger append_only before update or delete or truncate on charging.correction for each statement execute function charging.refuse_change();

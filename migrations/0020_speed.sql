-- Records are kept as the text whose hash they carry. To parse it into jsonb cost as much as all else about inserting a row, and nothing
-- reads one member of many records. Rows from before keep what they say; the canonical text of it is still what was hashed.
alter table charging.usage_record alter column record type json using record::text::json;
-- A row stays in one piece while it fits a page: compressing the text of every longer record cost more than the room it saved.
alter table charging.usage_record set (toast_tuple_target = 8160);

-- Rows that every batch changes: with room on their pages the new version stays beside the old one and indexes are left alone.
alter table charging.usage_rollup set (fillfactor = 70);
alter table charging.bucket set (fillfactor = 50);
alter table charging.slice set (fillfactor = 70);
alter table charging.lot set (fillfactor = 70);
alter table ledger.balance set (fillfactor = 50);

-- Written out and not strict, so that PostgreSQL puts it into the statement that calls it instead of starting a query for each roll-up.
drop aggregate charging.sum_counts (bigint[]);
create or replace function charging.add_counts(a bigint[], b bigint[]) returns bigint[] language sql immutable parallel safe as $$
  select array[
    a[1] + b[1], a[2] + b[2], a[3] + b[3], a[4] + b[4], a[5] + b[5], a[6] + b[6], a[7] + b[7], a[8] + b[8], a[9] + b[9],
    a[10] + b[10], a[11] + b[11], a[12] + b[12], a[13] + b[13], a[14] + b[14], a[15] + b[15], a[16] + b[16], a[17] + b[17],
    a[18] + b[18], a[19] + b[19], a[20] + b[20], a[21] + b[21]]
$$;

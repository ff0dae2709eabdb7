-- What a request's attempts cost beside `buy`, supplier by supplier: the part of an answer that was continued elsewhere, a race that was
-- lost. `[{"supplier": …, "buyPico": …}]`, null for none. Written with the record and, like it, never changed.
alter table charging.usage_record add column attempt_costs jsonb;

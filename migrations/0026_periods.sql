-- Periods that are over, for those that nobody used to be cleared away.
create index bucket_of_period on charging.bucket (valid_to_ms) where definition is not null;

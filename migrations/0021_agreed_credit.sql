-- What a wallet's credit limit is to be. A limit that is brought down while more is in use (`credit_limit`, what holds meanwhile)
-- follows what is repaid, until it is there.
alter table charging.bucket add column credit_agreed numeric(38, 0) not null default 0 check (credit_agreed >= 0);
update charging.bucket set credit_agreed = credit_limit where credit_limit > 0;
alter table charging.bucket add constraint bucket_credit_not_below_agreed check (credit_limit >= credit_agreed);

-- What was written off of a wallet's overruns: nobody paid it, so a correction of the usage behind it brings no money back.
alter table charging.bucket add column written_off numeric(38, 0) not null default 0 check (written_off >= 0);

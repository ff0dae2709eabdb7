-- Whether a request whose first token is late may be sent to a second supplier as well. It costs us a prompt, so nobody has it unasked.
alter table catalogue.service add column hedge boolean not null default false;

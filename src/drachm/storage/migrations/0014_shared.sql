-- Who is admitted to a shared pot: asked when money comes into it, so that it can pay what its members owe.

CREATE INDEX pot_of_fund ON pot (tenant, fund) WHERE fund <> '';

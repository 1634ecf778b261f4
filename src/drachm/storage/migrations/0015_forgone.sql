-- What clinics no longer ask for is neither paid nor due: a sum of its own in the figures (application/fold.py). The sums
-- are derived; they are dropped and follow the journal anew, so that what was given up before is told apart too.
ALTER TABLE figure_day ADD COLUMN forgone numeric NOT NULL DEFAULT 0;

TRUNCATE figure_day, figure_mix, figure_time, figure_hour, figure_books, figure_followed;

-- What a member lets be paid without asking, and the order of pockets: [version, [budget, ...], [rule, ...], [pot, ...],
-- [stop, ...]] (docs/decisions/0026). Gone with the member's sheets when the member is erased. What was spent of a
-- budget stands with the member's running totals.
ALTER TABLE member ADD COLUMN mandate jsonb;

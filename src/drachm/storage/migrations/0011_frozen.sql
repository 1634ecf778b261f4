-- Why a pot pays for nothing by itself just now (a word of `domain.reasons`); empty: it does. Set and taken away beside
-- what enrolment says of a pot, so that whoever enrols it again does not thaw it.
ALTER TABLE pot ADD COLUMN frozen text NOT NULL DEFAULT '';

-- The words that short bodies are written with.

-- name: newest
-- The newest codebooks.
SELECT id FROM codebook WHERE tenant = %(tenant)s ORDER BY id DESC LIMIT %(limit)s;

-- name: codebook
-- One codebook, sealed.
SELECT since, ppm, words FROM codebook WHERE tenant = %(tenant)s AND id = %(id)s;

-- name: add_codebook
-- A new one; that of a faster writer stays.
INSERT INTO codebook (tenant, id, since, ppm, words)
VALUES (%(tenant)s, %(id)s, %(since)s, %(ppm)s, %(words)s)
ON CONFLICT DO NOTHING;

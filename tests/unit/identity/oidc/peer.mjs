// Another implementation of signed tokens: signs what Drachm checks, checks what Drachm signs.
//
// Reads one JSON object: {"sign": claims, "jwk": private key, "header": {...}} or {"check": token, "jwks": {...},
// "issuer": ..., "audience": ...}; writes {"token": ...} or {"payload": ..., "header": ...}.
import { createLocalJWKSet, importJWK, jwtVerify, SignJWT } from 'jose';

let text = '';
for await (const part of process.stdin) text += part;
const asked = JSON.parse(text);
if (asked.sign) {
  const key = await importJWK(asked.jwk, asked.header.alg);
  const token = await new SignJWT(asked.sign).setProtectedHeader(asked.header).sign(key);
  console.log(JSON.stringify({ token }));
} else {
  const { payload, protectedHeader } = await jwtVerify(asked.check, createLocalJWKSet(asked.jwks), {
    issuer: asked.issuer, audience: asked.audience, typ: 'at+jwt', currentDate: new Date(asked.now),
  });
  console.log(JSON.stringify({ payload, header: protectedHeader }));
}

// A certified OpenID Connect provider on loopback, with people, a clinic's software, and keys that can be changed.
//
// Prints one line of JSON when it listens. POST /test/keys?next=b|both|a changes what it signs with and publishes.
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

const AUDIENCE = 'https://api.drachm.example/v1';
const PEOPLE = {
  olga: { tenant: 'alder', roles: ['operator', 'wizard'], parties: [] },
  carl: { tenant: 'alder', roles: ['clerk'], parties: ['north'] },
  rosa: { tenant: 'alder', roles: ['relative'], parties: [] },
  mallory: { tenant: 'cedar', roles: ['operator'], parties: [] },
};

async function keys(name) {
  const made = [];
  for (const alg of ['ES256', 'RS256', 'PS256', 'Ed25519']) {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    made.push({ ...(await exportJWK(privateKey)), alg, use: 'sig', kid: `${name}-${alg}` });
  }
  return made;
}

const sets = { a: await keys('a'), b: await keys('b') };
sets.both = [...sets.b, ...sets.a];
let sign = 'ES256';

function provider(issuer, redirect, jwks) {
  return new Provider(issuer, {
    jwks: { keys: jwks },
    cookies: { keys: ['only for tests'] },
    clients: [
      {
        client_id: 'desk', redirect_uris: [redirect], token_endpoint_auth_method: 'none',
        response_types: ['code'], grant_types: ['authorization_code'], application_type: 'native',
        id_token_signed_response_alg: 'ES256',
      },
      {
        client_id: 'software', client_secret: 'only-for-tests', redirect_uris: [], response_types: [],
        grant_types: ['client_credentials'],
      },
    ],
    scopes: ['openid', 'events:read', 'events:write', 'money:read'],
    findAccount: (_ctx, id) => (PEOPLE[id] ? { accountId: id, claims: () => ({ sub: id }) } : undefined),
    extraTokenClaims: (_ctx, token) => (token.accountId
      ? { ...PEOPLE[token.accountId], auth_time: Math.floor(Date.now() / 1000) }
      : { tenant: 'alder', roles: ['integrator', 'patient'], parties: ['north'] }),
    features: {
      devInteractions: { enabled: true },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCE,
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, audience) => ({
          scope: 'events:read events:write money:read', audience,
          accessTokenTTL: 300, accessTokenFormat: 'jwt', jwt: { sign: { alg: sign } },
        }),
      },
    },
  });
}

let serve = (_request, response) => response.end();
const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://127.0.0.1');
  if (url.pathname === '/test/keys') {
    sign = url.searchParams.get('alg') ?? sign;
    serve = provider(issuer, redirect, sets[url.searchParams.get('next')]).callback();
    response.end('{}');
  } else {
    serve(request, response);
  }
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;
const redirect = 'http://127.0.0.1/signed-in';
serve = provider(issuer, redirect, sets.a).callback();
console.log(JSON.stringify({ issuer, redirect, audience: AUDIENCE }));
process.stdin.on('end', () => process.exit(0)).resume();

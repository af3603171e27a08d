// An identity provider that others wrote (oauth2-mock-server), which does on
// demand what a broken or hostile one would. Prints its issuer; reads one JSON
// object per line, answers "ok" to each.
import { createInterface } from 'node:readline';
import { OAuth2Server } from 'oauth2-mock-server';
import { SignJWT } from 'jose';

const server = new OAuth2Server();
await server.issuer.keys.generate('RS256', { kid: 'first' });
await server.start(0, '127.0.0.1');

let wish = {};
let last;

server.service.on('beforeTokenSigning', (token) => {
  // The access token is signed alike; only the ID token has no scope.
  if ('scope' in token.payload) return;
  for (const [name, value] of Object.entries(wish.claims ?? {})) {
    if (value === null) delete token.payload[name];
    else token.payload[name] = value;
  }
  if (wish.kid) token.header.kid = wish.kid;
  last = token;
});

server.service.on('beforeResponse', (response) => {
  if (wish.status) response.statusCode = wish.status;
  if (wish.padding) response.body.padding = 'x'.repeat(wish.padding);
  if (wish.forge === 'none') {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    response.body.id_token = `${part({ alg: 'none', kid: 'first' })}.${part(last.payload)}.`;
  }
  if (wish.forge === 'HS256') response.body.id_token = wish.forged;
});

server.service.on('beforeUserinfo', (response) => {
  response.body = { sub: 'johndoe', ...wish.userinfo };
});

console.log(server.issuer.url);

for await (const line of createInterface({ input: process.stdin })) {
  const { generate, sign, ...rest } = JSON.parse(line);
  wish = rest;
  if (generate) await server.issuer.keys.generate(generate.alg, { kid: generate.kid });
  if (sign) {
    const key = new TextEncoder().encode(sign.secret);
    wish.forged = await new SignJWT(sign.payload).setProtectedHeader({ alg: 'HS256', kid: 'first' }).sign(key);
  }
  console.log('ok');
}
await server.stop();

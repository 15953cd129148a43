// better-auth with its OAuth provider plugin, as the documentation of @better-auth/oauth-provider
// sets it up. Sign-in and consent are JSON calls (/api/auth/sign-in/email, /api/auth/oauth2/consent)
// that the pages of an application make; the pages here are empty.
import { createServer } from 'node:http';
import { randomBytes } from 'node:crypto';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import { jwt } from 'better-auth/plugins';
import {
  oauthProvider,
  oauthProviderAuthServerMetadata,
  oauthProviderOpenIdConfigMetadata,
} from '@better-auth/oauth-provider';
import Database from 'better-sqlite3';

const port = Number(process.env.PORT);
const origin = `http://127.0.0.1:${port}`;
const database = new Database(':memory:');
const options = {
  baseURL: origin,
  secret: randomBytes(32).toString('base64url'),
  database,
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  disabledPaths: ['/token'],
  plugins: [
    jwt(),
    oauthProvider({
      loginPage: '/login',
      consentPage: '/consent',
      silenceWarnings: { oauthAuthServerConfig: true, openidConfig: true },
    }),
  ],
};
const auth = betterAuth(options);
const { runMigrations } = await getMigrations(options);
await runMigrations();

const signUp = (email, password, name) =>
  auth.api.signUpEmail({ body: { email, password, name }, returnHeaders: true });
const alice = await signUp('alice@example.test', process.env.INTEROP_PASSWORD, 'Alice');
await signUp('bob@example.test', process.env.INTEROP_SECOND_PASSWORD, 'Bob');
const cookie = alice.headers.getSetCookie().map((c) => c.split(';')[0]).join('; ');

// The server makes client ids up; a profile needs known ones.
const register = async (id, body) => {
  const client = await auth.api.adminCreateOAuthClient({ headers: new Headers({ cookie }), body });
  database.prepare('update oauthClient set clientId = ? where clientId = ?').run(id, client.client_id);
};
const publicClient = (redirect_uri) => ({
  redirect_uris: [redirect_uri],
  token_endpoint_auth_method: 'none',
  application_type: 'native',
  scope: 'openid profile email offline_access',
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  enable_end_session: true,
  post_logout_redirect_uris: ['http://127.0.0.1:9999/signed-out'],
});
await register('native', publicClient('http://127.0.0.1:9999/callback'));
await register('other', publicClient('http://127.0.0.1:9998/callback2'));

const handler = toNodeHandler(auth);
const metadata = {
  'oauth-authorization-server': oauthProviderAuthServerMetadata(auth),
  'openid-configuration': oauthProviderOpenIdConfigMetadata(auth),
};
createServer(async (request, response) => {
  const url = new URL(request.url, origin);
  const document = Object.keys(metadata).find((name) => url.pathname.includes(`/.well-known/${name}`));
  if (document) {
    const answer = await metadata[document](new Request(url));
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(await answer.text());
  } else if (url.pathname.startsWith('/api/auth')) {
    handler(request, response);
  } else {
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end('<!doctype html><html lang="en"><title>Page of the application</title></html>');
  }
}).listen(port, '127.0.0.1');

// oidc-provider with the features that an operator of public clients turns on, by its documentation
// (docs/README.md of the package). Its development pages stand for the sign-in that every operator
// writes himself: they take any name and password.
import { randomBytes } from 'node:crypto';
import Provider, { errors } from 'oidc-provider';

const port = Number(process.env.PORT);
const issuer = `http://127.0.0.1:${port}`;
const apis = ['https://api.example.test', 'https://files.example.test'];

const publicClient = (client_id, application_type, redirect_uris, more = {}) => ({
  client_id,
  application_type,
  redirect_uris,
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  scope: 'openid email offline_access api:read',
  ...more,
});

const provider = new Provider(issuer, {
  clients: [
    publicClient(
      'native',
      'native',
      [
        'http://127.0.0.1:9999/callback',
        'http://127.0.0.1:9999/callback?tenant=one',
        'com.example.app:/callback',
      ],
      { post_logout_redirect_uris: ['http://127.0.0.1:9999/signed-out'] },
    ),
    publicClient('web', 'web', ['https://app.example.test/callback']),
    {
      client_id: 'api',
      client_secret: process.env.INTEROP_SECRET,
      redirect_uris: [],
      grant_types: [],
      response_types: [],
      token_endpoint_auth_method: 'client_secret_basic',
    },
  ],
  scopes: ['openid', 'offline_access', 'email', 'admin', 'api:read'],
  claims: { openid: ['sub'], email: ['email'] },
  cookies: { keys: [randomBytes(32).toString('base64url')] },
  clientBasedCORS: (ctx, origin) => origin === 'https://app.example.test',
  issueRefreshToken: async () => true,
  features: {
    devInteractions: { enabled: true },
    revocation: { enabled: true },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      useGrantedResource: () => false,
      getResourceServerInfo: (ctx, resource) => {
        if (!apis.includes(resource)) throw new errors.InvalidTarget();
        return {
          scope: 'api:read',
          audience: resource,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        };
      },
    },
  },
  async findAccount(ctx, id) {
    return { accountId: id, claims: async () => ({ sub: id, email: `${id}@example.test` }) };
  },
});

provider.listen(port, '127.0.0.1');

// oidc-provider whose users sign in with a credential from their wallet, as far as it is the same
// for every verifier: the portal with its link, the browser that waits, the end of the interaction,
// the consent. A recipe copies it beside its server.mjs.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import Provider from 'oidc-provider';

export const issuer = `http://127.0.0.1:${process.env.PORT}`;
export const pem = (name) => readFileSync(`${process.env.STATE}/${name}.pem`, 'utf8');
// Seconds that a login may take.
export const patience = 60;

const question = `<form method="post"><button name="approve">Approve</button>
  <button name="deny">Deny</button></form>`;
const denial = { error: 'access_denied' };
const page = (res, body) => {
  res.setHeader('Content-Type', 'text/html; charset=utf-8');
  res.end(`<!doctype html><title>Sign in</title>${body}`);
};

const publicClient = {
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  scope: 'openid email offline_access',
};
const configuration = {
  clients: [
    {
      ...publicClient,
      client_id: 'native',
      application_type: 'native',
      redirect_uris: ['http://127.0.0.1:9999/callback', 'com.example.app:/callback'],
      post_logout_redirect_uris: ['http://127.0.0.1:9999/signed-out'],
    },
    { ...publicClient, client_id: 'web', redirect_uris: ['https://app.example.test/callback'] },
  ],
  claims: { openid: ['sub'], email: ['email'] },
  cookies: { keys: [randomBytes(32).toString('base64url')] },
  clientBasedCORS: (ctx, origin) => origin === 'https://app.example.test',
  issueRefreshToken: async () => true,
  ttl: { Interaction: patience },
  features: { devInteractions: { enabled: false }, revocation: { enabled: true } },
  findAccount: async (ctx, id) => ({ accountId: id, claims: async () => ({ sub: id, email: id }) }),
};

// Opens the portal of a verifier:
//   ask(parameters, requestUri)   makes a request of them: `invitation`, the link for a wallet, and
//                                 `requestObject`, the JWT that is served at `requestUri`
//   prove(request, response)      the claims that the response of a wallet to it proves
//   script                        with which the page of the portal listens
// What comes back is the server, its routes, and `wait(req, res, connect)`: if the browser that sent
// `req` began the login, `connect` gives `tell(url)` and `end()`, and it waits in place of any other.
export function openPortal({ ask, prove, script }) {
  // Logins that wait for a wallet, by the uid of the interaction: the request, the browser.
  const logins = new Map();
  const login = (uid) => {
    if (!logins.has(uid)) throw new Error('no such login');
    return logins.get(uid);
  };

  // Where the browser is sent: to the portal with a request for the wallet, or to be asked.
  async function url(ctx, { uid, prompt }) {
    if (prompt.name === 'consent') return `/interaction/${uid}`;
    const parameters = {
      response_type: 'vp_token',
      response_mode: 'direct_post',
      response_uri: `${issuer}/oid4vp/response`,
      nonce: randomBytes(32).toString('base64url'),
      state: uid,
    };
    const request = await ask(parameters, `${issuer}/oid4vp/request/${uid}`);
    logins.set(uid, { request });
    setTimeout(() => logins.delete(uid), patience * 1000).unref();
    const shown = { authRequest: request.invitation, state: uid };
    return `/interaction/${uid}?${new URLSearchParams(shown)}`;
  }

  const provider = new Provider(issuer, { ...configuration, interactions: { url } });

  async function wait(req, res, connect) {
    const { uid } = await provider.interactionDetails(req, res);
    login(uid);
    const browser = { req, res, ...(await connect()) };
    login(uid).browser?.end();
    login(uid).browser = browser;
  }

  const routes = {
    'GET /interaction/:uid': async (req, res) => {
      const { uid, prompt } = await provider.interactionDetails(req, res);
      if (prompt.name === 'consent') return page(res, question);
      const link = login(uid).request.invitation.replaceAll('&', '&amp;');
      page(res, `<a href="${link}">Open your wallet</a><script>${script}</script>`);
    },
    'POST /interaction/:uid': async (req, res) => {
      const { prompt, session, params } = await provider.interactionDetails(req, res);
      if (prompt.name !== 'consent') throw new Error('nothing to decide');
      const isApproved = new URLSearchParams(await text(req)).has('approve');
      const { accountId } = session;
      const grant = new provider.Grant({ accountId, clientId: params.client_id });
      grant.addOIDCScope(params.scope);
      const consent = { grantId: await grant.save() };
      await provider.interactionFinished(req, res, isApproved ? { consent } : denial);
    },
    'GET /oid4vp/request/:uid': async (req, res, uid) => {
      res.setHeader('Content-Type', 'application/oauth-authz-req+jwt');
      res.end(login(uid).request.requestObject);
    },
    'POST /oid4vp/response': async (req, res) => {
      const response = Object.fromEntries(new URLSearchParams(await text(req)));
      const { request, browser } = login(response.state);
      logins.delete(response.state);
      try {
        const { email } = await prove(request, response);
        const result = { login: { accountId: email } };
        browser.tell(await provider.interactionResult(browser.req, browser.res, result));
      } finally {
        browser?.end();
      }
      res.setHeader('Content-Type', 'application/json');
      res.end('{}');
    },
  };

  const others = provider.callback();
  const server = createServer(async (req, res) => {
    res.setHeader('Content-Security-Policy', "frame-ancestors 'none'");
    res.setHeader('Referrer-Policy', 'no-referrer');
    res.setHeader('Cache-Control', 'no-store');
    const [, , uid] = req.url.match(/^\/(interaction|oid4vp\/request)\/([\w-]+)/) ?? [];
    const route = routes[`${req.method} ${req.url.split('?')[0].replace(uid, ':uid')}`];
    if (!route) return others(req, res);
    try {
      await route(req, res, uid);
    } catch (error) {
      console.error(error.message);
      const type = { 'Content-Type': 'application/json' };
      res.writeHead(400, type).end('{"error":"invalid_request"}');
    }
  });
  server.listen(process.env.PORT, '127.0.0.1');
  return { server, routes, wait };
}

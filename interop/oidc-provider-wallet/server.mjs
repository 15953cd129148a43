// oidc-provider whose users sign in with a credential from their wallet. The verifier is made of
// libraries, used as they document it: @openid4vc/openid4vp makes the signed request and parses the
// response (OpenID4VP 1.0, direct_post), @sd-jwt/sd-jwt-vc verifies the credential and its key
// binding, jose the JWTs in it, and dcql compares what is shown with what was asked for. What is
// written here leads from one to the next: the portal, its events, the end of the interaction.
import { createHash, createPublicKey, randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { calculateX509HashClientIdPrefixValue, Openid4vpVerifier } from '@openid4vc/openid4vp';
import { setGlobalConfig } from '@openid4vc/utils';
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc';
import { DcqlPresentationResult, DcqlQuery } from 'dcql';
import { importJWK, importPKCS8, jwtVerify, SignJWT } from 'jose';
import Provider from 'oidc-provider';

const issuer = `http://127.0.0.1:${process.env.PORT}`;
const pem = (name) => readFileSync(`${process.env.STATE}/${name}.pem`, 'utf8');
// Seconds that a login may take.
const patience = 60;

const hash = (data, alg) => createHash(alg.replace('-', '')).update(data).digest();
const x5c = [new X509Certificate(pem('verifier')).raw.toString('base64')];
const [x509Certificate] = x5c;
const fingerprint = await calculateX509HashClientIdPrefixValue({ hash, x509Certificate });
const verifierId = `x509_hash:${fingerprint}`;
const verifierKey = await importPKCS8(pem('verifier-key'), 'ES256');
const issuerKey = createPublicKey(pem('issuer'));

// Loopback has no TLS.
setGlobalConfig({ allowInsecureUrls: true });
const verifier = new Openid4vpVerifier({
  callbacks: {
    hash,
    signJwt: async (_, { header, payload }) => ({
      jwt: await new SignJWT(payload).setProtectedHeader(header).sign(verifierKey),
    }),
  },
});

const issued = { typ: 'dc+sd-jwt', issuer: 'https://issuer.example.test' };
const bound = { typ: 'kb+jwt', audience: verifierId, maxTokenAge: '5 minutes' };
const verified = async (data, signature, key, options) =>
  Boolean(await jwtVerify(`${data}.${signature}`, key, { algorithms: ['ES256'], ...options }));
const credentials = new SDJwtVcInstance({
  hasher: hash,
  verifier: (data, signature) => verified(data, signature, issuerKey, issued),
  kbVerifier: async (data, signature, { cnf }) =>
    verified(data, signature, await importJWK(cnf.jwk, 'ES256'), bound),
});

const algorithms = { 'sd-jwt_alg_values': ['ES256'], 'kb-jwt_alg_values': ['ES256'] };
const meta = { vct_values: ['https://credentials.example.test/employee'] };
const query = DcqlQuery.parse({
  credentials: [{ id: 'employee', format: 'dc+sd-jwt', meta, claims: [{ path: ['email'] }] }],
});

// Logins that wait for a wallet, by the uid of the interaction: the request, the browser's events.
const logins = new Map();
const login = (uid) => {
  if (!logins.has(uid)) throw new Error('no such login');
  return logins.get(uid);
};

// Where the browser is sent: to the portal with a request for the wallet, or to be asked.
async function destination(ctx, { uid, prompt }) {
  if (prompt.name === 'consent') return `/interaction/${uid}`;
  const request = await verifier.createOpenId4vpAuthorizationRequest({
    authorizationRequestPayload: {
      response_type: 'vp_token',
      response_mode: 'direct_post',
      response_uri: `${issuer}/oid4vp/response`,
      client_id: verifierId,
      client_metadata: { vp_formats_supported: { 'dc+sd-jwt': algorithms } },
      nonce: randomBytes(32).toString('base64url'),
      state: uid,
      dcql_query: query,
    },
    jar: {
      requestUri: `${issuer}/oid4vp/request/${uid}`,
      jwtSigner: { method: 'x5c', alg: 'ES256', x5c },
      expiresInSeconds: patience,
      additionalJwtPayload: { aud: 'https://self-issued.me/v2' },
    },
  });
  logins.set(uid, { request });
  setTimeout(() => logins.delete(uid), patience * 1000).unref();
  const parameters = { authRequest: request.authorizationRequest, state: uid };
  return `/interaction/${uid}?${new URLSearchParams(parameters)}`;
}

// The claims that were asked for, as the response of a wallet proves them.
async function proven({ authorizationRequestPayload }, authorizationResponse) {
  const { dcql } = await verifier.parseOpenid4vpAuthorizationResponse({
    authorizationRequestPayload,
    authorizationResponse,
  });
  const keyBindingNonce = authorizationRequestPayload.nonce;
  const shown = {};
  for (const [id, presentations] of Object.entries(dcql.presentations)) {
    shown[id] = [];
    for (const presentation of presentations) {
      const { payload: claims } = await credentials.verify(presentation, { keyBindingNonce });
      const form = { credential_format: 'dc+sd-jwt', cryptographic_holder_binding: true };
      shown[id].push({ ...form, vct: claims.vct, claims });
    }
  }
  const result = DcqlPresentationResult.fromDcqlPresentation(shown, { dcqlQuery: query });
  const { employee } = DcqlPresentationResult.validate(result).credential_matches;
  return employee.valid_credentials[0].claims.valid_claim_sets[0].output;
}

const question = `<form method="post"><button name="approve">Approve</button>
  <button name="deny">Deny</button></form>`;
const denial = { error: 'access_denied' };
const page = (res, body) => {
  res.setHeader('Content-Type', 'text/html; charset=utf-8');
  res.end(`<!doctype html><title>Sign in</title>${body}`);
};
const routes = {
  'GET /interaction/:uid': async (req, res) => {
    const { uid, prompt } = await provider.interactionDetails(req, res);
    if (prompt.name === 'consent') return page(res, question);
    const link = login(uid).request.authorizationRequest.replaceAll('&', '&amp;');
    page(res, `<a href="${link}">Open your wallet</a><script>
      new EventSource(location.pathname + '/events')
        .addEventListener('redirect', (event) => location.assign(event.data));
    </script>`);
  },
  'POST /interaction/:uid': async (req, res) => {
    const { prompt, session, params } = await provider.interactionDetails(req, res);
    if (prompt.name !== 'consent') throw new Error('nothing to decide');
    const isApproved = new URLSearchParams(await text(req)).has('approve');
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    const consent = { grantId: await grant.save() };
    await provider.interactionFinished(req, res, isApproved ? { consent } : denial);
  },
  'GET /interaction/:uid/events': async (req, res) => {
    const { uid } = await provider.interactionDetails(req, res);
    login(uid).browser?.res.end();
    login(uid).browser = { req, res };
    res.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
  },
  'GET /oid4vp/request/:uid': async (req, res, uid) => {
    res.setHeader('Content-Type', 'application/oauth-authz-req+jwt');
    res.end(login(uid).request.jar.authorizationRequestJwt);
  },
  'POST /oid4vp/response': async (req, res) => {
    const response = Object.fromEntries(new URLSearchParams(await text(req)));
    const { request, browser } = login(response.state);
    logins.delete(response.state);
    try {
      const { email } = await proven(request, response);
      const result = { login: { accountId: email } };
      const next = await provider.interactionResult(browser.req, browser.res, result);
      browser.res.write(`event: redirect\ndata: ${next}\n\n`);
    } finally {
      browser?.res.end();
    }
    res.setHeader('Content-Type', 'application/json');
    res.end('{}');
  },
};

const publicClient = {
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  scope: 'openid email offline_access',
};
const provider = new Provider(issuer, {
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
  interactions: { url: destination },
  ttl: { Interaction: patience },
  features: { devInteractions: { enabled: false }, revocation: { enabled: true } },
  findAccount: async (ctx, id) => ({ accountId: id, claims: async () => ({ sub: id, email: id }) }),
});

const others = provider.callback();
createServer(async (req, res) => {
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
    res.writeHead(400, { 'Content-Type': 'application/json' }).end('{"error":"invalid_request"}');
  }
}).listen(process.env.PORT, '127.0.0.1');

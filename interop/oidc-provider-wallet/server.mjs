// oidc-provider whose users sign in with a credential from their wallet. The verifier is made of
// libraries, used as they document it: @openid4vc/openid4vp makes the signed request and parses the
// response (OpenID4VP 1.0, direct_post), @sd-jwt/sd-jwt-vc verifies the credential and its key
// binding, jose the JWTs in it, and dcql compares what is shown with what was asked for. What is
// written here leads from one to the next; the portal is portal.mjs.
import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { calculateX509HashClientIdPrefixValue, Openid4vpVerifier } from '@openid4vc/openid4vp';
import { setGlobalConfig } from '@openid4vc/utils';
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc';
import { DcqlPresentationResult, DcqlQuery } from 'dcql';
import { importJWK, importPKCS8, jwtVerify, SignJWT } from 'jose';
import { openPortal, patience, pem } from './portal.mjs';

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

async function ask(parameters, requestUri) {
  const request = await verifier.createOpenId4vpAuthorizationRequest({
    authorizationRequestPayload: {
      ...parameters,
      client_id: verifierId,
      client_metadata: { vp_formats_supported: { 'dc+sd-jwt': algorithms } },
      dcql_query: query,
    },
    jar: {
      requestUri,
      jwtSigner: { method: 'x5c', alg: 'ES256', x5c },
      expiresInSeconds: patience,
      additionalJwtPayload: { aud: 'https://self-issued.me/v2' },
    },
  });
  return {
    invitation: request.authorizationRequest,
    requestObject: request.jar.authorizationRequestJwt,
    authorizationRequestPayload: request.authorizationRequestPayload,
  };
}

async function prove({ authorizationRequestPayload }, authorizationResponse) {
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

const script = `new EventSource(location.pathname + '/events')
  .addEventListener('redirect', (event) => location.assign(event.data));`;
const { routes, wait } = openPortal({ ask, prove, script });

// Server-sent events (HTML section 9.2).
routes['GET /interaction/:uid/events'] = (req, res) =>
  wait(req, res, () => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
    return {
      tell: (url) => res.write(`event: redirect\ndata: ${url}\n\n`),
      end: () => res.end(),
    };
  });

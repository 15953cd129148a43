// oidc-provider whose users sign in with a credential from their wallet, as it was before OpenID4VP
// 1.0: a JWT VC in a JWT VP (Verifiable Credentials Data Model 1.1), asked for by Presentation
// Exchange, and a web socket on which the browser waits. The verifier is made of libraries, used as
// they document it: did-jwt signs the request, did-jwt-vc verifies presentation and credential by
// the did:key of who signed each, which key-did-resolver resolves, and @sphereon/pex compares what
// is shown with what was asked for. What is written here leads from one to the next; the portal is
// portal.mjs.
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { ServerResponse } from 'node:http';
import { PEX, PresentationSubmissionLocation } from '@sphereon/pex';
import { bytesToMultibase, createJWT, ES256Signer } from 'did-jwt';
import { verifyCredential, verifyPresentation } from 'did-jwt-vc';
import { Resolver } from 'did-resolver';
import { getResolver } from 'key-did-resolver';
import { WebSocketServer } from 'ws';
import { issuer, openPortal, patience, pem } from './portal.mjs';

const octets = (text) => Buffer.from(text, 'base64url');
// did:key of a P-256 key: the point, compressed.
const did = (name) => {
  const { x, y } = createPublicKey(pem(name)).export({ format: 'jwk' });
  const point = Buffer.concat([Buffer.of(2 + (octets(y).at(-1) & 1)), octets(x)]);
  return `did:key:${bytesToMultibase(point, 'base58btc', 'p256-pub')}`;
};
const verifier = did('verifier');
const trusted = did('issuer');
const { d } = createPrivateKey(pem('verifier-key')).export({ format: 'jwk' });
const signer = ES256Signer(octets(d));
const resolver = new Resolver(getResolver());
const pex = new PEX();

const alg = ['ES256'];
const field = (path, filter) => ({ path: [`$.vc.${path}`, `$.${path}`], filter });
const definition = {
  id: 'login',
  input_descriptors: [
    {
      id: 'employee',
      format: { jwt_vc: { alg }, jwt_vp: { alg } },
      constraints: {
        fields: [
          field('type', { type: 'array', contains: { const: 'EmployeeCredential' } }),
          field('credentialSubject.email', { type: 'string' }),
        ],
      },
    },
  ],
};

async function ask(parameters, requestUri) {
  const requestObject = await createJWT(
    {
      ...parameters,
      client_id: verifier,
      client_id_scheme: 'did',
      aud: 'https://self-issued.me/v2',
      presentation_definition: definition,
    },
    { issuer: verifier, signer, expiresIn: patience },
    { alg: 'ES256', typ: 'oauth-authz-req+jwt', kid: `${verifier}#${verifier.split(':')[2]}` },
  );
  const shown = { client_id: verifier, request_uri: requestUri };
  const invitation = `openid4vp://?${new URLSearchParams(shown)}`;
  return { invitation, requestObject, nonce: parameters.nonce };
}

async function prove({ nonce }, { vp_token, presentation_submission }) {
  const { issuer: holder, payload } = await verifyPresentation(vp_token, resolver, {
    challenge: nonce,
    domain: verifier,
    proofPurpose: 'authentication',
  });
  const [credential, ...others] = payload.vp.verifiableCredential;
  if (others.length) throw new Error('more than one credential');
  const proofPurpose = 'assertionMethod';
  const issued = await verifyCredential(credential, resolver, { proofPurpose });
  // Whom they are of is left to who calls did-jwt-vc.
  if (issued.issuer !== trusted) throw new Error('the issuer is not trusted');
  if (issued.payload.sub !== holder) throw new Error('the credential is of another holder');
  const { errors } = pex.evaluatePresentation(definition, vp_token, {
    presentationSubmission: JSON.parse(presentation_submission),
    presentationSubmissionLocation: PresentationSubmissionLocation.EXTERNAL,
  });
  if (errors.length) throw new Error(errors[0].message);
  return issued.verifiableCredential.credentialSubject;
}

const script = `const at = location.origin.replace('http', 'ws') + location.pathname + '/socket';
new WebSocket(at).addEventListener('message', (event) => location.assign(event.data));`;
const { server, wait } = openPortal({ ask, prove, script });

const sockets = new WebSocketServer({ noServer: true });
const complain = (error) => console.error(error.message);
server.on('upgrade', async (req, socket, head) => {
  socket.on('error', complain);
  try {
    // Cookies come with a web socket from anywhere (RFC 6455 section 10.2).
    if (req.headers.origin !== issuer) throw new Error('a web socket of another origin');
    if (!/^\/interaction\/[\w-]+\/socket$/.test(req.url)) throw new Error('no web socket here');
    await wait(req, new ServerResponse(req), async () => {
      const browser = await new Promise((resolve) => {
        sockets.handleUpgrade(req, socket, head, resolve);
      });
      browser.on('error', complain);
      return { tell: (url) => browser.send(url), end: () => browser.close() };
    });
  } catch (error) {
    complain(error);
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  }
});

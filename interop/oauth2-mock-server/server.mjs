// oauth2-mock-server as its README starts it. It has no clients, no users and no sign-in.
import { OAuth2Server } from 'oauth2-mock-server';

const port = Number(process.env.PORT);
const server = new OAuth2Server();
await server.issuer.keys.generate('RS256');
server.issuer.url = `http://127.0.0.1:${port}`;
await server.start(port, '127.0.0.1');

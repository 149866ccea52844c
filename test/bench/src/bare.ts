import { text } from 'node:stream/consumers';
import { createServer, type TLSSocket } from 'node:tls';
import type { BareOrder } from './bare-server.ts';

/** The process of a `BareServer`: gets its certificates on stdin, and prints its port. */
const { key, cert, ca } = JSON.parse(await text(process.stdin)) as BareOrder;
const server = createServer(
  { key, cert, ca, minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: true, ALPNProtocols: ['h2'] },
  (socket: TLSSocket) => {
    socket.on('error', () => undefined);
    socket.resume();
    socket.write('.');
  },
);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`${address.port}\n`);
});

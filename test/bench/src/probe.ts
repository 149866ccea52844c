import { type ClientHttp2Session, connect } from 'node:http2';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { parentPort, workerData } from 'node:worker_threads';
import { connectSecured } from './tls-client.ts';

export interface ProbeTask {
  /** HOST:PORT of a manager. */
  readonly address: string;
  /** The credential of a member of the manager's cluster. */
  readonly tls: SecureContextOptions;
}

/** Milliseconds between two pings, and between two attempts to connect. */
const every = 20;

/**
 * A thread of its own, so that it measures the manager and not the bench: pings a manager over one connection, and connects again
 * when the connection ends. For each message from the bench it answers how long the longest ping since the last message took, ms.
 */
const { address, tls } = workerData as ProbeTask;
const secureContext = createSecureContext(tls);
let http: ClientHttp2Session | undefined;
let longest = 0;
/** When the oldest ping without an answer was sent. */
let waitsSince: number | undefined;

parentPort?.on('message', () => {
  parentPort?.postMessage(Math.max(longest, waitsSince === undefined ? 0 : performance.now() - waitsSince));
  longest = 0;
});

setInterval(() => {
  if (http === undefined || http.destroyed) {
    waitsSince = undefined;
    http = connect(`https://${address}`, { createConnection: () => connectSecured({ address, secureContext }) });
    http.on('error', () => undefined);
  } else if (!http.connecting && waitsSince === undefined) {
    waitsSince = performance.now();
    http.ping((error, took) => {
      if (error === null) longest = Math.max(longest, took);
      waitsSince = undefined;
    });
  }
}, every);

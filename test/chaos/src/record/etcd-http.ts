import { readFileSync } from 'node:fs';
import { type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { join } from 'node:path';

/** Requests to etcd's JSON gateway. */
export class EtcdHttp {
  readonly #tls: object;

  /** `identity`: directory with the credential of a manager, for etcds that managers run; undefined: URLs are http. */
  constructor(identity: string | undefined) {
    this.#tls = identity === undefined ? {} : tlsOf(identity);
  }

  /** Resolves with the body of an answer 200. Rejects when there is none. */
  post(url: string, body: object, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const request = url.startsWith('https:') ? requestSecure : requestPlain;
      const sent = request(url, { method: 'POST', signal, agent: false, ...this.#tls });
      sent.once('error', reject);
      sent.once('response', (response) => {
        if (response.statusCode === 200) return resolve(response);
        response.resume();
        reject(new Error(`${url} answers ${response.statusCode}`));
      });
      sent.end(JSON.stringify(body));
    });
  }
}

function tlsOf(directory: string): object {
  const identity = readFileSync(join(directory, 'identity.pem'));
  const ca = readFileSync(join(directory, 'ca.pem'));
  // The name in the certificate is that of the cluster, and this cluster has no etcd of another.
  return { key: identity, cert: identity, ca, checkServerIdentity: () => undefined };
}

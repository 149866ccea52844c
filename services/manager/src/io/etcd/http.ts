import { get as getPlain } from 'node:http';
import { get as getSecure } from 'node:https';
import type { Duration } from '@causeway/runtime';
import type { EtcdCredentials } from './credentials.ts';

/** The text at a URL of etcd. Rejects when there is no answer within the limit, or an answer other than 200. */
export function getText(url: URL, limit: Duration, credentials: EtcdCredentials): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { timeout: limit, signal: AbortSignal.timeout(limit), agent: false } as const;
    const request =
      url.protocol === 'https:' ? getSecure(url, { ...options, ...credentials.tls() }) : getPlain(url, options);
    request.once('error', reject);
    request.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString());
        else reject(new Error(`${url.href} answers with status ${response.statusCode}`));
      });
    });
  });
}

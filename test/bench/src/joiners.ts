import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { createRequest, parseToken } from '@causeway/identity';
import { createKey, joinerContext } from '@causeway/identity/io';
import { unwrap } from '@causeway/model';
import { CertificateServiceClient } from '@causeway/proto/gen/causeway/v1/certificate_service.grpc-client.js';
import { JoinRequest } from '@causeway/proto/gen/causeway/v1/certificate_service.js';
import { callUnary } from '@causeway/proto/io';
import type { Servers } from './servers.ts';
import { connectSecured } from './tls-client.ts';
import { framed } from './wire.ts';
import { numbers } from './work.ts';

/** Addresses of this host from which joiners come: the manager limits how many come from one. */
const sources = 64;

/** Hosts that join with one token. Keys and requests are made before, so that only the manager's time counts. */
export class Joiners {
  readonly #address: string;
  readonly #requests: readonly JoinRequest[];

  private constructor(address: string, requests: readonly JoinRequest[]) {
    this.#address = address;
    this.#requests = requests;
  }

  static async create({ address, members }: Servers, count: number): Promise<Joiners> {
    const client = new CertificateServiceClient(address, members.client('operator', 'bench'));
    const wanted = { requestId: randomUUID(), role: 'agent', uses: count, ttlMs: 0n, name: '' };
    const { secret } = await callUnary(client.createToken.bind(client), wanted, { timeout: 10_000 });
    client.close();
    const token = unwrap(parseToken(secret));
    const requests = numbers(count).map((i) =>
      JoinRequest.create({
        requestId: randomUUID(),
        tokenId: token.id,
        tokenSecret: token.secret,
        certificateRequest: createRequest(createKey()),
        name: `joiner-${i}`,
      }),
    );
    return new Joiners(address, requests);
  }

  /** On a connection of its own. Throws when the manager refuses. */
  async join(i: number): Promise<void> {
    const localAddress = `127.0.1.${1 + (i % sources)}`;
    const target = { address: this.#address, secureContext: joinerContext(), localAddress };
    const http = connect(`https://${this.#address}`, { createConnection: () => connectSecured(target) });
    http.on('error', () => undefined); // the stream's error handles every failure
    try {
      const path = '/causeway.v1.CertificateService/Join';
      const stream = http.request({
        ':method': 'POST',
        ':path': path,
        te: 'trailers',
        'content-type': 'application/grpc',
      });
      const request = { ...(this.#requests[i] as JoinRequest), timeMs: BigInt(Date.now()) };
      stream.end(framed(JoinRequest.toBinary(request)));
      stream.resume();
      const [trailers] = (await once(stream, 'trailers')) as [Record<string, string>];
      if (trailers['grpc-status'] !== '0') throw new Error(`joiner-${i}: ${trailers['grpc-message']}`);
    } finally {
      http.destroy();
    }
  }
}

import type { ChannelCredentials } from '@grpc/grpc-js';
import { CertificateServiceClient } from '#gen/causeway/v1/certificate_service.grpc-client.js';
import { type CallLimits, callUnary } from './call.ts';

interface CertificateCallsParts {
  readonly credentials: ChannelCredentials;
  /** Makes the id of each request. */
  readonly newId: () => string;
}

/** Waits no longer for one manager, ms. A follower asks the leader in this time. */
const patience = 5_000;
/** As long as a joiner waits: the CA may be a program, which has eight seconds. */
const patienceForRenewal = 10_000;

/** How a member of a cluster asks the managers for certificates: the manager that answered last, then the others. */
export class CertificateCalls {
  readonly #parts: CertificateCallsParts;
  readonly #clients: CertificateServiceClient[];

  /** `addresses`: host:port of managers. */
  constructor(parts: CertificateCallsParts, addresses: readonly string[]) {
    this.#parts = parts;
    this.#clients = addresses.map((address) => new CertificateServiceClient(address, parts.credentials));
  }

  /** Each time another manager is asked first: a manager that was removed would not say so. */
  async trust(signal: AbortSignal): Promise<{
    readonly roots: string;
    readonly time: number;
    readonly removed: readonly { readonly name: string; readonly at: number }[];
  }> {
    this.#clients.push(...this.#clients.splice(0, 1));
    const { roots, timeMs, removedManagers } = await this.#ask(
      (client, limits) => callUnary(client.getTrust.bind(client), {}, limits),
      signal,
    );
    const removed = removedManagers.map(({ name, atMs }) => ({ name, at: Number(atMs) }));
    return { roots: roots.join(''), time: Number(timeMs), removed };
  }

  /** The same request id at each manager: a renewal whose answer was lost is not made twice. */
  async renew(
    certificateRequest: Uint8Array,
    signal: AbortSignal,
  ): Promise<{ readonly chain: string; readonly roots: string }> {
    const request = { requestId: this.#parts.newId(), certificateRequest };
    const { chain, roots } = await this.#ask(
      (client, limits) => callUnary(client.renew.bind(client), request, { ...limits, timeout: patienceForRenewal }),
      signal,
    );
    return { chain: chain.join(''), roots: roots.join('') };
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }

  async #ask<Answer>(
    call: (client: CertificateServiceClient, limits: CallLimits) => Promise<Answer>,
    signal: AbortSignal,
  ): Promise<Answer> {
    let failure: unknown = new Error('no manager is known');
    for (const [i, client] of [...this.#clients].entries()) {
      if (signal.aborted) break;
      try {
        const answer = await call(client, { timeout: patience, signal, isRetry: i > 0 });
        this.#clients.sort((a, b) => Number(b === client) - Number(a === client));
        return answer;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }
}

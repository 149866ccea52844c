import type { CertificateServiceClient } from '#gen/causeway/v1/certificate_service.grpc-client.js';
import { type CallLimits, callUnary } from './call.ts';

interface CertificateCallsParts {
  /** The client of the manager at `address`, host:port, as the member now calls it. */
  readonly client: (address: string) => CertificateServiceClient;
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
  /** In the order in which they are asked. */
  #addresses: readonly string[];

  /** `addresses`: host:port of managers. */
  constructor(parts: CertificateCallsParts, addresses: readonly string[]) {
    this.#parts = parts;
    this.#addresses = addresses;
  }

  /** From now on these managers are asked; those that were known keep their order. */
  know(addresses: readonly string[]): void {
    const known = this.#addresses.filter((address) => addresses.includes(address));
    this.#addresses = [...known, ...addresses.filter((address) => !known.includes(address))];
  }

  /** Each time another manager is asked first: a manager that was removed would not say so. */
  async trust(signal: AbortSignal): Promise<{
    readonly roots: string;
    readonly time: number;
    readonly removed: readonly { readonly name: string; readonly at: number; readonly isUntilJoin: boolean }[];
    readonly managers: readonly string[];
  }> {
    const [first, ...others] = this.#addresses;
    if (first !== undefined) this.#addresses = [...others, first];
    const { roots, timeMs, removedManagers, managers } = await this.#ask(
      (client, limits) => callUnary(client.getTrust.bind(client), {}, limits),
      signal,
    );
    const removed = removedManagers.map(({ name, atMs, untilJoin }) => ({
      name,
      at: Number(atMs),
      isUntilJoin: untilJoin,
    }));
    return { roots: roots.join(''), time: Number(timeMs), removed, managers };
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

  async #ask<Answer>(
    call: (client: CertificateServiceClient, limits: CallLimits) => Promise<Answer>,
    signal: AbortSignal,
  ): Promise<Answer> {
    let failure: unknown = new Error('no manager is known');
    for (const [i, address] of this.#addresses.entries()) {
      if (signal.aborted) break;
      try {
        const answer = await call(this.#parts.client(address), { timeout: patience, signal, isRetry: i > 0 });
        this.#addresses = [...this.#addresses].sort((a, b) => Number(b === address) - Number(a === address));
        return answer;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }
}

import type { Node } from '@causeway/model';
import type { VerifyResult } from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { Drift } from '@causeway/proto/gen/causeway/v1/types.js';
import { encodeVerify } from './encode.ts';
import { type AskedSession, HostCalls } from './host-calls.ts';

/** Pending calls to hosts to compare their kernels with the intent. */
export class VerifyCalls {
  readonly #calls = new HostCalls<readonly Drift[]>();

  /** Asks every host that has a session, all at once. */
  async askAll(
    nodes: readonly Node[],
    sessionOf: (node: Node) => AskedSession | undefined,
    repair: boolean,
    signal: AbortSignal,
  ): Promise<VerifyOutcome> {
    const answers = await this.#calls.askAll(nodes, sessionOf, (call) => encodeVerify(call, repair), signal);
    return outcomeOf(new Map([...answers].map(([{ name }, drift]) => [name, drift])));
  }

  answer(owner: object, { call, drift, error }: VerifyResult): void {
    this.#calls.answer(owner, call, error === '' ? drift : undefined);
  }

  sessionEnded(owner: object): void {
    this.#calls.sessionEnded(owner);
  }
}

/** Outcome of a verify call to several hosts. */
export interface VerifyOutcome {
  readonly drift: readonly Drift[];
  /** Names of hosts that answered, sorted. */
  readonly checked: readonly string[];
  /** Names of hosts that could not be asked or did not answer in time, sorted. */
  readonly unreachable: readonly string[];
}

export function outcomeOf(answers: ReadonlyMap<string, readonly Drift[] | undefined>): VerifyOutcome {
  const hosts = [...answers.keys()].sort();
  const answered = (host: string): boolean => answers.get(host) !== undefined;
  return {
    // The manager sets `host`: a host can report only its own drift.
    drift: hosts.flatMap((host) => (answers.get(host) ?? []).map((drift) => ({ ...drift, host }))),
    checked: hosts.filter(answered),
    unreachable: hosts.filter((host) => !answered(host)),
  };
}

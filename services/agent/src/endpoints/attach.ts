import { CausewayError, type Name, type RequestId } from '@causeway/model';
import { type Duration, milliseconds } from '@causeway/runtime';
import { isUnrecorded, type Sandbox } from '../disk/sandbox.ts';
import { type AttachSpec, asksTheSame, sameSpec } from './attach-spec.ts';
import { type Attached, type AttachModules, AttachSteps } from './attach-steps.ts';

interface UnderWay {
  readonly spec: AttachSpec;
  readonly outcome: Promise<Attached>;
}

/** Attaches containers. Calls that ask for the same get one endpoint, whether they run at once or one after the other. */
export class Attacher {
  readonly #modules: AttachModules;
  readonly #steps: AttachSteps;
  readonly #underWay = new Map<RequestId, UnderWay>();

  constructor(modules: AttachModules) {
    this.#modules = modules;
    this.#steps = new AttachSteps({ ...modules, isOtherUnderWay: (spec) => this.#isOtherUnderWay(spec) });
  }

  /** Whether an attach of an endpoint with this name is under way, so that a claim may be without its sandbox. */
  isUnderWay(name: Name): boolean {
    for (const { spec } of this.#underWay.values()) if (spec.name === name) return true;
    return false;
  }

  stateOf(sandbox: Sandbox): 'attaching' | 'attached' | 'refused' | 'unrecorded' {
    if (sandbox.refused !== undefined) return 'refused';
    if (isUnrecorded(sandbox)) return 'unrecorded';
    return this.#underWay.has(sandbox.requestId) ? 'attaching' : 'attached';
  }

  /** A repeated request gets the same sandbox. So does another request that asks for what is attached already. */
  async attach(spec: AttachSpec, timeout: Duration): Promise<Attached> {
    const before = this.#underWay.get(spec.requestId);
    if (before !== undefined) {
      if (!sameSpec(before.spec, spec)) throw reused(spec.requestId);
      return await before.outcome;
    }
    for (const sandbox of this.#modules.sandboxes.madeBy(spec.requestId)) {
      if (!this.#made(sandbox, spec)) throw reused(spec.requestId);
      return { sandbox, already: false };
    }
    const outcome = this.#join(spec, timeout).finally(() => this.#underWay.delete(spec.requestId));
    this.#underWay.set(spec.requestId, { spec, outcome });
    return await outcome;
  }

  /**
   * Waits for another call that asks for the same, instead of doing the work twice. If that call fails, this call tries
   * by itself.
   */
  async #join(spec: AttachSpec, timeout: Duration): Promise<Attached> {
    const { clock } = this.#modules;
    const deadline = clock.now() + timeout;
    for (const other of [...this.#underWay.values()]) {
      if (other.spec.requestId === spec.requestId || !asksTheSame(other.spec, spec)) continue;
      const joined = await other.outcome.catch(() => undefined);
      if (joined !== undefined) return { ...joined, already: true };
    }
    return await this.#steps.perform(spec, milliseconds(Math.max(1, deadline - clock.now())));
  }

  #isOtherUnderWay({ requestId, name }: AttachSpec): boolean {
    for (const [id, { spec }] of this.#underWay) if (id !== requestId && spec.name === name) return true;
    return false;
  }

  #made(sandbox: Sandbox, spec: AttachSpec): boolean {
    const { endpoint, netns, ifname } = sandbox;
    const network = this.#modules.tables.get(endpoint.network)?.network;
    const sameNetwork = spec.network === endpoint.network || network === undefined || spec.network === network.name;
    return sameNetwork && endpoint.name === spec.name && netns === spec.netns && ifname === spec.ifname;
  }
}

function reused(requestId: RequestId): CausewayError {
  const message = `request_id ${requestId} was used for another attach: use a new request_id for a new request`;
  return new CausewayError('request-reused', message, { field: 'request_id' });
}

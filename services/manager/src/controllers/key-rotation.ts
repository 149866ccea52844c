import type { NodeId } from '@causeway/model';
import { type Clock, type Duration, type Log, Loop, seconds } from '@causeway/runtime';
import type { TermWriter } from '../commit/writer.ts';
import { type Controller, failureLog, type Term } from '../election/term.ts';
import { finishKeyRotation, isOver, rotatingHosts } from '../plan/rotate-keys.ts';
import type { View } from '../store/view.ts';
import type { HostReports } from './host-reports.ts';
import { type Asked, hostsToAsk } from './key-rotation-rule.ts';

interface KeyRotationParts {
  readonly view: View;
  readonly writer: TermWriter;
  readonly hosts: Pick<HostReports, 'silentSince' | 'rekey' | 'usersOfKeys'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Sessions come and go without a change of the view. */
const lookEvery = seconds(1);
const retryAfter = seconds(1);

/** Asks the hosts of a rotation for new keys, and ends the rotation when all have changed. */
export class KeyRotationController implements Controller {
  readonly #parts: KeyRotationParts;
  /** In the rotation whose record has this revision. */
  #asked: { readonly of: bigint; readonly hosts: Map<NodeId, Asked> } = { of: 0n, hosts: new Map() };

  constructor(parts: KeyRotationParts) {
    this.#parts = parts;
  }

  async run({ signal }: Term): Promise<void> {
    const { view, log } = this.#parts;
    const failed = failureLog(log, 'keys.rotation-not-finished');
    const loop = new Loop(this.#parts, { step: () => this.#step(signal), failed, retryAfter });
    const unsubscribe = view.subscribe((changes) => {
      const matters = (kind: string): boolean => ['key-rotation', 'node-keys', 'node', 'reset'].includes(kind);
      if (changes.some(({ kind }) => matters(kind))) loop.wake();
    });
    await loop.run(signal);
    unsubscribe();
  }

  /** Returns when to look again; undefined: when the view has changed. */
  async #step(signal: AbortSignal): Promise<Duration | undefined> {
    const { view, writer, hosts: reports, clock, log } = this.#parts;
    const rotation = view.records('keyRotation').get();
    if (rotation === undefined) return undefined;
    const hosts = rotatingHosts(rotation.value, view);
    if (isOver(hosts)) {
      await writer.apply(finishKeyRotation(), { cause: 'key-rotation', signal });
      log.info('keys.rotated', { hosts: hosts.length });
      return undefined;
    }
    if (this.#asked.of !== rotation.revision) this.#asked = { of: rotation.revision, hosts: new Map() };
    const asked = this.#asked.hosts;
    const now = clock.now();
    for (const { node, former } of hostsToAsk(rotation.value, hosts, asked, reports, now)) {
      asked.set(node, { first: asked.get(node)?.first ?? now, last: now });
      reports.rekey(node, former);
    }
    return lookEvery;
  }
}

import type { Address } from '../swim/member.ts';
import type { SerfContext } from './context.ts';
import type { Intents } from './intents.ts';
import type { Roster } from './roster.ts';

/** What this node does about its place in the cluster: joins, by command and after a stop; leaves. */
export class Peers {
  readonly #context: SerfContext;
  readonly #roster: Roster;
  readonly #intents: Intents;
  readonly #onLeave: () => void;
  #freshJoins = 0;

  constructor(context: SerfContext, roster: Roster, intents: Intents, onLeave: () => void) {
    this.#context = context;
    this.#roster = roster;
    this.#intents = intents;
    this.#onLeave = onLeave;
  }

  /** Whether a join is under way whose peer's old events are not told. */
  get ignoresOld(): boolean {
    return this.#freshJoins > 0;
  }

  join(to: Address, ignoreOld: boolean, done: (error: string | undefined) => void): void {
    if (ignoreOld) this.#freshJoins++;
    this.#context.run(
      (command) => ({ type: 'join', command, to }),
      (error) => {
        if (ignoreOld) this.#freshJoins--;
        if (error === undefined) this.#intents.announceJoin();
        done(error);
      },
    );
  }

  /** Joins the first of these that answers. */
  rejoin([first, ...others]: readonly Address[]): void {
    if (first === undefined) return;
    this.join(first, true, (error) => {
      if (error !== undefined) this.rejoin(others);
    });
  }

  leave(done: (error: string | undefined) => void): void {
    if (this.#context.isLeaving) {
      done('the node leaves already');
      return;
    }
    this.#context.isLeaving = true;
    this.#onLeave();
    const { name, settings } = this.#context;
    const { broadcastTimeout, leavePropagation } = settings.serf;
    // First serf's leave, or other nodes would take the node for one that failed.
    this.#intents.announceLeave(name, false, () =>
      this.#context.run(
        (command) => ({ type: 'leave', command, timeout: broadcastTimeout }),
        (error) => this.#context.after(leavePropagation, () => done(error)),
      ),
    );
  }

  /** Declares that a node that failed has left. `prune`: every node forgets it. */
  forceLeave(name: string, prune: boolean, done: (error: string | undefined) => void): void {
    const status = this.#roster.get(name)?.status;
    if (status === undefined) done(`no member ${name}`);
    else if (status === 'alive') done(`${name} is alive`);
    else this.#intents.announceLeave(name, prune, done);
  }
}

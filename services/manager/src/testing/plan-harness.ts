import type { Random } from '@causeway/runtime';
import { Allocator } from '../ipam/allocator.ts';
import type { Intent, Planning, Proposal, Request } from '../plan/intent.ts';
import { createKeys } from '../store/keys.ts';
import type { StoreEvent } from '../store/store.ts';
import { View } from '../store/view.ts';

/** Time at which every record of the harness is made. */
const madeAt = 1_800_000_000_000;

/** Plans and writes at once, directly to a view: the effect of a proposal without store, leader or clock. */
export class PlanHarness implements Planning {
  readonly keys = createKeys();
  readonly view = new View(this.keys);
  readonly allocator: Allocator;
  readonly random: Random;
  readonly clock = { wall: () => madeAt };
  /** The written values, by key. */
  readonly written = new Map<string, Uint8Array>();
  readonly #created = new Map<string, bigint>();

  constructor(random: Random) {
    this.random = random;
    this.view.apply({ kind: 'snapshot', revision: 1n, kvs: [] });
    this.allocator = new Allocator(this.view);
  }

  /** Carries out an intent and returns its reply. @throws CausewayError what its check and its plan throw */
  make<Reply>(intent: Intent<Reply> & Pick<Request<Reply>, 'check'>): Reply {
    intent.check?.();
    const proposal = intent.plan(this);
    this.write(proposal);
    return proposal.reply;
  }

  write({ writes }: Proposal): void {
    const revision = this.view.revision + 1n;
    const events = writes.map((write): StoreEvent => {
      if (write.kind === 'delete') {
        this.#created.delete(write.key);
        this.written.delete(write.key);
        return { kind: 'delete', key: write.key, modRevision: revision };
      }
      const { key, value } = write;
      const createRevision = this.#created.get(key) ?? revision;
      this.#created.set(key, createRevision);
      this.written.set(key, value);
      return { kind: 'put', kv: { key, value, createRevision, modRevision: revision } };
    });
    if (events.length > 0) this.view.apply({ kind: 'events', revision, events });
  }
}

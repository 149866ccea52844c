import type { Name } from '@causeway/model';
import { type Intent, nothingToDo } from '../plan/intent.ts';
import type { Keys } from '../store/keys.ts';
import { records } from '../store/records/index.ts';
import type { KnownManager, ManagerRecord } from '../store/records/manager.ts';
import type { Compare, Store } from '../store/store.ts';
import type { RegisteredManager, Versioned, View } from '../store/view.ts';

/** Each change takes two compares and a write: a transaction has room for this many. */
const mostChanges = 40;

/** A change of what the roster says about a manager, and its reason. */
type RosterChange =
  /**
   * The manager is registered, and the roster lacks its record or has another: an older version does not write that
   * record.
   */
  | { readonly kind: 'registered'; readonly record: RegisteredManager; readonly known?: Versioned<KnownManager> }
  /** The manager's registration has ended. */
  | { readonly kind: 'gone'; readonly known: Versioned<KnownManager> };

/**
 * The changes that the roster needs, by the managers that are registered now. A leader that is not registered yet counts
 * as running all the same.
 */
export function rosterChanges({
  leader,
  managers,
  knownManagers,
}: Pick<View, 'leader' | 'managers' | 'knownManagers'>): readonly RosterChange[] {
  const registered = [...managers].flatMap(([name, record]): RosterChange[] => {
    const known = knownManagers.get(name);
    return isSame(record, known?.value) ? [] : [{ kind: 'registered', record, ...(known !== undefined && { known }) }];
  });
  const gone = [...knownManagers.values()].flatMap((known): RosterChange[] => {
    const { name, goneAt } = known.value;
    const isThere = managers.has(name as Name) || leader?.name === name;
    return isThere || goneAt !== undefined ? [] : [{ kind: 'gone', known }];
  });
  return [...registered, ...gone].slice(0, mostChanges);
}

/**
 * Brings the roster up to date; only the leader does this. When a manager registers or is removed meanwhile, the write
 * fails and is planned again.
 */
export function keepRoster(): Intent<void> {
  return {
    plan: ({ view, keys, clock }) => {
      const changes = rosterChanges(view);
      if (changes.length === 0) return nothingToDo(undefined);
      const now = Math.trunc(clock.wall());
      return {
        ...nothingToDo(undefined),
        compares: changes.flatMap((change) => unmoved(change, keys)),
        writes: changes.map((change) => {
          const [record, original] =
            change.kind === 'gone'
              ? [{ ...change.known.value, goneAt: now }, change.known.original]
              : [change.record, change.known?.original];
          const key = keys.knownManager(record.name as Name);
          return { kind: 'put', key, value: records.knownManager.codec.encode(record, original) };
        }),
      };
    },
  };
}

function unmoved(change: RosterChange, keys: Keys): readonly Compare[] {
  const name = (change.kind === 'gone' ? change.known.value : change.record).name as Name;
  const key = keys.knownManager(name);
  const registration = keys.manager(name);
  return [
    change.known === undefined
      ? { kind: 'absent', key }
      : { kind: 'unchanged', key, modRevision: change.known.revision },
    change.kind === 'gone'
      ? { kind: 'absent', key: registration }
      : { kind: 'unchanged', key: registration, modRevision: change.record.revision },
  ];
}

function isSame(record: ManagerRecord, known: KnownManager | undefined): boolean {
  if (known === undefined || known.goneAt !== undefined) return false;
  return (['name', 'address', 'version', 'etcdMember', 'schema'] as const).every(
    (field) => record[field] === known[field],
  );
}

interface RosterParts {
  readonly store: Pick<Store, 'get' | 'txn'>;
  readonly keys: Keys;
}

/** The managers that the store knows, with the operations that a removal needs. */
export class Roster {
  readonly #parts: RosterParts;

  constructor(parts: RosterParts) {
    this.#parts = parts;
  }

  /** @throws CausewayError store-unavailable */
  async has(name: Name): Promise<boolean> {
    const { store, keys } = this.#parts;
    return (await store.get(keys.knownManager(name))).kv !== undefined;
  }

  /**
   * Deletes the registration, too: a manager that still runs has lost its etcd member.
   * @throws CausewayError store-unavailable, timed-out
   */
  async forget(name: Name): Promise<void> {
    const { store, keys } = this.#parts;
    const gone = [keys.knownManager(name), keys.manager(name)];
    await store.txn(
      [],
      gone.map((key) => ({ kind: 'delete', key })),
    );
  }

  /**
   * Forgets a manager that is not registered. False: it is registered.
   * @throws CausewayError store-unavailable, timed-out
   */
  async forgetGone(name: Name): Promise<boolean> {
    const { store, keys } = this.#parts;
    const { succeeded } = await store.txn(
      [{ kind: 'absent', key: keys.manager(name) }],
      [{ kind: 'delete', key: keys.knownManager(name) }],
    );
    return succeeded;
  }
}

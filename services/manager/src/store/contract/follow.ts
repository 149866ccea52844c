import { expect } from 'vitest';
import type { Change, Step, StoreEvent } from '../store.ts';
import { put, remove, under, write } from './act.ts';
import { Follower } from './follower.ts';
import type { StoreCase } from './world.ts';

export const followCases: readonly StoreCase[] = [
  {
    name: 'follow: a snapshot, then events',
    run: async ({ store, prefix }) => {
      const first = await write(store, put(`${prefix}a`, '1'), put(`${prefix}b`, '2'));
      const follower = new Follower(store, prefix);
      await follower.reached(first);
      const second = await write(store, put(`${prefix}a`, '3'), remove(`${prefix}b`));
      await follower.reached(second);
      const [snapshot] = follower.changes;
      expect(snapshot).toMatchObject({ kind: 'snapshot', revision: first });
      expect(follower.events).toMatchObject([
        { kind: 'put', kv: { key: `${prefix}a`, createRevision: first, modRevision: second } },
        { kind: 'delete', key: `${prefix}b`, modRevision: second },
      ]);
      expect(follower.state).toEqual(new Map([[`${prefix}a`, '3']]));
      await follower.stop();
    },
  },
  {
    name: 'follow: a snapshot longer than a page, and of an empty prefix',
    run: async ({ store, prefix, limits }) => {
      for (let at = 0; at < limits.pageSize + 50; at += 50)
        await write(store, ...Array.from({ length: 50 }, (_, index) => put(`${prefix}full/${at + index}`)));
      const full = new Follower(store, `${prefix}full/`);
      const empty = new Follower(store, `${prefix}empty/`);
      await Promise.all([
        full.until(({ snapshots }) => snapshots === 1),
        empty.until(({ snapshots }) => snapshots === 1),
      ]);
      expect(full.state.size).toBeGreaterThan(limits.pageSize);
      expect(empty.state.size).toBe(0);
      const revision = await write(store, put(`${prefix}empty/first`));
      await empty.reached(revision);
      expect(empty.state.size).toBe(1);
      await Promise.all([full.stop(), empty.stop()]);
    },
  },
  {
    name: 'follow: keys of others do not come, but the revision goes on',
    run: async ({ store, prefix }) => {
      const follower = new Follower(store, `${prefix}mine/`);
      await follower.until(({ snapshots }) => snapshots === 1);
      const revision = await write(store, put(`${prefix}theirs`));
      await follower.reached(revision);
      expect(follower.events).toEqual([]);
      await follower.stop();
    },
  },
  {
    name: 'watch: what came after a revision, also through a stream that breaks, and no snapshot',
    run: async ({ store, witness, prefix, cut }) => {
      const first = await write(store, put(`${prefix}a`));
      await write(store, put(`${prefix}b`));
      const abort = new AbortController();
      const keys: string[] = [];
      for await (const step of store.watch(prefix, first, abort.signal)) {
        for (const event of step.kind === 'events' ? step.events : [])
          if (event.kind === 'put') keys.push(event.kv.key.slice(prefix.length));
        if (keys.length === 1) {
          cut();
          await write(witness, put(`${prefix}c`));
        } else if (keys.length === 2) abort.abort();
      }
      expect(keys).toEqual(['b', 'c']);
    },
  },
  {
    name: 'watch: ends when the history it needs is gone',
    run: async ({ store, prefix, compact }) => {
      const first = await write(store, put(`${prefix}a`));
      await write(store, put(`${prefix}b`));
      await compact(await write(store, put(`${prefix}c`)));
      const steps: Step[] = [];
      for await (const step of store.watch(prefix, first, new AbortController().signal)) steps.push(step);
      expect(steps).toEqual([]);
    },
  },
  {
    name: 'follow: nothing is lost, repeated or torn over 300 writes while the stream breaks again and again',
    run: async ({ store, witness, prefix, cut, cutReplays }) => {
      const follower = new Follower(store, prefix);
      await follower.until(({ snapshots }) => snapshots === 1);
      const revisions: bigint[] = [];
      for (let index = 0; index < 300; index++) {
        if (index % 60 === 30) cutReplays(3);
        if (index % 15 === 0) cut();
        const gone = index >= 3 ? [remove(`${prefix}old/${index - 3}`)] : [];
        revisions.push(
          await write(
            witness,
            put(`${prefix}a/${index}`),
            put(`${prefix}old/${index}`),
            put(`${prefix}last`, String(index)),
            ...gone,
          ),
        );
        // In every third stretch the follower falls behind and must catch up from the history. In the others it keeps up.
        if (index % 5 === 4 && index % 45 > 15) await follower.reached(revisions.at(-1) ?? 0n);
      }
      await follower.reached(revisions.at(-1) ?? 0n);
      expect(follower.snapshots).toBe(1);
      expect(revisionsOf(follower.events)).toEqual(revisions);
      expect(follower.events).toHaveLength(300 * 3 + 297);
      expectWhole(follower.changes);
      const listed = await under(witness, prefix);
      expect([...follower.state.keys()].sort()).toEqual(listed.map(({ key }) => key));
      await follower.stop();
    },
  },
  {
    name: 'follow: a break between the stream and its history loses nothing',
    run: async ({ store, witness, prefix, cut, cutReplays, setReachable }) => {
      const follower = new Follower(store, prefix);
      await follower.until(({ snapshots }) => snapshots === 1);
      setReachable(false);
      const revisions: bigint[] = [];
      for (let index = 0; index < 200; index++) revisions.push(await write(witness, put(`${prefix}${index}`)));
      cutReplays(4);
      setReachable(true);
      await follower.reached(revisions.at(-1) ?? 0n);
      cut();
      revisions.push(await write(witness, put(`${prefix}end`)));
      await follower.reached(revisions.at(-1) ?? 0n);
      expect(follower.snapshots).toBe(1);
      expect(revisionsOf(follower.events)).toEqual(revisions);
      await follower.stop();
    },
  },
  {
    name: 'follow: a revision that no stream gets past is passed by a snapshot, and streams go on behind it',
    run: async ({ store, witness, prefix, cutReplays, setReachable }) => {
      await write(witness, put(`${prefix}a`), put(`${prefix}b`));
      const follower = new Follower(store, prefix);
      await follower.until(({ snapshots }) => snapshots === 1);
      setReachable(false);
      await write(witness, remove(`${prefix}a`));
      cutReplays(12); // more breaks in a row than the store tolerates
      setReachable(true);
      await follower.until(({ snapshots }) => snapshots === 2);
      expect([...follower.state.keys()]).toEqual([`${prefix}b`]);
      await follower.reached(await write(witness, put(`${prefix}c`)));
      expect([...follower.state.keys()]).toEqual([`${prefix}b`, `${prefix}c`]);
      expect(follower.snapshots).toBe(2);
      await follower.stop();
    },
  },
  {
    name: 'watch: ends before a revision that no stream gets past',
    run: async ({ store, witness, prefix, cutReplays, setReachable }) => {
      const first = await write(witness, put(`${prefix}a`));
      await store.get(prefix);
      setReachable(false);
      await write(witness, put(`${prefix}b`));
      cutReplays(12); // more breaks in a row than the store tolerates
      setReachable(true);
      const steps: Step[] = [];
      for await (const step of store.watch(prefix, first, new AbortController().signal)) steps.push(step);
      expect(steps).toEqual([]);
    },
  },
  {
    name: 'follow: behind the compaction, a new snapshot that leads to the same state',
    run: async ({ store, witness, prefix, compact, setReachable }) => {
      await write(witness, put(`${prefix}kept`), put(`${prefix}deleted`));
      const follower = new Follower(store, prefix);
      await follower.until(({ snapshots }) => snapshots === 1);
      setReachable(false);
      await write(witness, remove(`${prefix}deleted`), put(`${prefix}new`));
      await compact(await write(witness, put(`${prefix}kept`, 'y')));
      setReachable(true);
      await follower.until(({ snapshots }) => snapshots === 2);
      expect(follower.state).toEqual(
        new Map([
          [`${prefix}kept`, 'y'],
          [`${prefix}new`, 'x'],
        ]),
      );
      const revision = await write(witness, put(`${prefix}after`));
      await follower.reached(revision);
      expect(follower.state.has(`${prefix}after`)).toBe(true);
      await follower.stop();
    },
  },
  {
    name: 'follow: a deletion at the very revision of the compaction is not lost',
    run: async ({ store, witness, prefix, compact, setReachable }) => {
      await write(witness, put(`${prefix}a`));
      const follower = new Follower(store, prefix);
      await follower.until(({ snapshots }) => snapshots === 1);
      setReachable(false);
      const deleted = await write(witness, remove(`${prefix}a`));
      await compact(deleted);
      setReachable(true);
      await follower.reached(deleted);
      expect(follower.state.size).toBe(0);
      await follower.stop();
    },
  },
  {
    name: 'follow: compaction behind a follower that is up to date does not disturb it',
    run: async ({ store, witness, prefix, compact, cut }) => {
      const follower = new Follower(store, prefix);
      await follower.until(({ snapshots }) => snapshots === 1);
      const first = await write(witness, put(`${prefix}a`));
      await follower.reached(first);
      await compact(first);
      cut();
      const second = await write(witness, put(`${prefix}b`));
      await follower.reached(second);
      expect(follower.snapshots).toBe(1);
      expect(revisionsOf(follower.events)).toEqual([first, second]);
      await follower.stop();
    },
  },
  {
    name: 'follow: ends with its signal, and with the store',
    run: async ({ store, witness, prefix }) => {
      const one = new Follower(store, prefix);
      const other = new Follower(store, prefix);
      await Promise.all([
        one.until(({ snapshots }) => snapshots === 1),
        other.until(({ snapshots }) => snapshots === 1),
      ]);
      await one.stop();
      const revision = await write(witness, put(`${prefix}a`));
      await other.reached(revision);
      expect(one.events).toEqual([]);
      await store.close();
      await other.ended();
    },
  },
  {
    name: 'follow: a signal that aborted already yields nothing',
    run: async ({ store, prefix }) => {
      const changes: Change[] = [];
      for await (const change of store.follow(prefix, AbortSignal.abort())) changes.push(change);
      expect(changes).toEqual([]);
    },
  },
];

/** Each revision once, in the order in which it came first. */
function revisionsOf(events: readonly StoreEvent[]): readonly bigint[] {
  return events.map(revisionOf).filter((revision, index, all) => revision !== all[index - 1]);
}

/** No revision is spread over two changes, and a change never goes back. */
function expectWhole(changes: readonly Change[]): void {
  let last = 0n;
  for (const change of changes) {
    if (change.kind === 'events') {
      for (const event of change.events) expect(revisionOf(event)).toBeGreaterThan(last);
      expect(change.revision).toBeGreaterThanOrEqual(revisionsOf(change.events).at(-1) ?? 0n);
    }
    expect(change.revision).toBeGreaterThanOrEqual(last);
    last = change.revision;
  }
}

function revisionOf(event: StoreEvent): bigint {
  return event.kind === 'put' ? event.kv.modRevision : event.modRevision;
}

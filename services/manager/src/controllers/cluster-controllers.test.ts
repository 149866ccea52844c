import type { Name, NodeId } from '@causeway/model';
import { milliseconds, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Committed } from '../commit/outcomes.ts';
import type { Controller } from '../election/term.ts';
import type { EventInput } from '../events/event-input.ts';
import type { Intent } from '../plan/intent.ts';
import { unknownHostWindow } from '../plan/recovery.ts';
import { registerNode } from '../plan/register-node.ts';
import { encodeText } from '../store/records/codec.ts';
import { records } from '../store/records/index.ts';
import type { Write } from '../store/store.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { nodeId, scriptCluster, scriptNode } from '../testing/view-script.ts';
import { RecoveryController } from './recovery.ts';
import { RosterController } from './roster.ts';
import { SchemaController } from './schema.ts';

let desk: PlanHarness;
let clock: FakeClock;
let log: MemoryLog;
let term: AbortController;
/** Transactions of the controller that wrote something. */
let writes: number;
let events: string[];

beforeEach(() => {
  desk = new PlanHarness(new SeededRandom(1));
  clock = new FakeClock();
  log = new MemoryLog();
  term = new AbortController();
  writes = 0;
  events = [];
});

afterEach(() => {
  term.abort();
  expect(clock.sleeping).toBe(0);
});

async function apply<Reply>(intent: Intent<Reply>): Promise<Committed<Reply>> {
  const proposal = intent.plan(desk);
  if (proposal.writes.length > 0) writes++;
  events.push(...proposal.events.map(({ message }) => message));
  desk.write(proposal);
  return { reply: proposal.reply, revision: desk.view.revision };
}

const parts = () => ({ view: desk.view, writer: { apply }, clock, log });
const run = (controller: Controller): void => void controller.run({ revision: 1n, signal: term.signal });
const soon = (): Promise<void> => clock.advance(milliseconds(0));
const write = (...all: Write[]): void =>
  desk.write({ compares: [], writes: all, takes: [], events: [], reply: undefined });

function register(name: string, schema: number): void {
  const record = { name, address: `${name}:7443`, version: '1', etcdMember: '', schema };
  write({ kind: 'put', key: desk.keys.manager(name as Name), value: records.manager.codec.encode(record) });
}

function setSchema(schema: number): void {
  const value = records.meta.codec.encode({ clusterId: scriptCluster, epoch: 1n, schema });
  write({ kind: 'put', key: desk.keys.meta, value });
}

describe('the schema of the store', () => {
  const start = (schema: number, ...managers: number[]): void => {
    setSchema(schema);
    for (const [i, known] of managers.entries()) register(`m${i}`, known);
    run(new SchemaController(parts(), { schema: 2 }));
  };

  test.each<[string, number, number[], number, number]>([
    ['is raised when every manager knows the newer one', 1, [2, 3], 2, 1],
    ['stays while a manager does not', 1, [2, 1], 1, 0],
    ['stays when it is the newest', 2, [2, 2], 2, 0],
    ['stays when it is newer', 3, [3, 3], 3, 0],
  ])('%s', async (_, schema, managers, after, transactions) => {
    start(schema, ...managers);
    await soon();
    expect([desk.view.cluster?.schema, writes]).toEqual([after, transactions]);
    expect(log.lines.map(({ event }) => event)).toEqual(transactions === 0 ? [] : ['cluster.schema-raised']);
  });

  test('is raised as soon as the last older manager is replaced', async () => {
    start(1, 2, 1);
    await soon();
    register('m1', 2);
    await soon();
    expect(desk.view.cluster?.schema).toBe(2);
  });

  test('is raised again when the record is that of an older version', async () => {
    start(2, 2);
    await soon();
    setSchema(1);
    await soon();
    expect(desk.view.cluster?.schema).toBe(2);
  });

  test('stays after the term', async () => {
    start(1, 2, 1);
    await soon();
    term.abort();
    await soon();
    register('m1', 2);
    await soon();
    expect(desk.view.cluster?.schema).toBe(1);
  });
});

describe('the roster', () => {
  const known = () =>
    [...desk.view.knownManagers.values()].map(({ value }) => [value.name, value.goneAt !== undefined]);

  test('has each manager that is registered, and keeps those that are gone', async () => {
    register('m1', 1);
    run(new RosterController(parts()));
    await soon();
    expect(known()).toEqual([['m1', false]]);
    register('m2', 1);
    await soon();
    write({ kind: 'delete', key: desk.keys.manager('m1' as Name) });
    await soon();
    expect([known(), writes]).toEqual([
      [
        ['m1', true],
        ['m2', false],
      ],
      3,
    ]);
  });

  test('of more managers than fit into one transaction is complete all the same', async () => {
    for (let n = 0; n < 41; n++) register(`m${n}`, 1);
    run(new RosterController(parts()));
    await soon();
    expect([desk.view.knownManagers.size, writes]).toEqual([41, 2]);
  });

  test('stays as it is after the term', async () => {
    run(new RosterController(parts()));
    await soon();
    term.abort();
    register('m1', 1);
    await soon();
    expect(known()).toEqual([]);
  });
});

describe('the recovery of a restored store', () => {
  const recovered = new Set<NodeId>();
  const emitted: EventInput[] = [];
  const start = (): void => {
    const relay = { emit: (event: EventInput) => void emitted.push(event) };
    const hosts = { hasRecovered: (node: NodeId) => recovered.has(node) };
    run(new RecoveryController({ ...parts(), relay, hosts }, { cooldown: seconds(30) }));
  };

  beforeEach(() => {
    recovered.clear();
    emitted.length = 0;
    for (const n of [1, 2]) desk.make(registerNode(scriptNode(n)));
    write({ kind: 'put', key: desk.keys.recovery, value: encodeText('{}') });
  });

  test('ends when all hosts have claimed again what they hold, and no sooner than hosts need that the backup lacks', async () => {
    for (const n of [1, 2]) recovered.add(nodeId(n));
    start();
    await clock.advance(milliseconds(unknownHostWindow - 10));
    expect(desk.view.recovering).toBe(true);
    await clock.advance(milliseconds(520));
    expect(desk.view.recovering).toBe(false);
    expect(events).toEqual(['hosts have claimed again what they hold']);
    expect(emitted.map(({ kind }) => kind)).toEqual(['cluster.restored']);
  });

  test('ends when the last host has claimed', async () => {
    recovered.add(nodeId(1));
    start();
    await clock.advance(seconds(20));
    expect(desk.view.recovering).toBe(true);
    recovered.add(nodeId(2));
    await clock.advance(milliseconds(510));
    expect(desk.view.recovering).toBe(false);
  });

  test('waits for a host no longer than a cooldown, and names the host', async () => {
    recovered.add(nodeId(1));
    start();
    await clock.advance(seconds(29.9));
    expect(desk.view.recovering).toBe(true);
    await clock.advance(seconds(1));
    expect(desk.view.recovering).toBe(false);
    expect(events).toEqual(['hosts have claimed again what they hold, not waiting any longer for h2']);
  });

  test('is nothing to do without a backup', async () => {
    write({ kind: 'delete', key: desk.keys.recovery });
    start();
    await clock.advance(seconds(60));
    expect([emitted, writes, log.lines]).toEqual([[], 0, []]);
  });
});

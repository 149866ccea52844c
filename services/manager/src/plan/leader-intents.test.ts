import { Ip, type Name } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { refusal } from '../testing/refusal.ts';
import { nodeId, scriptNode } from '../testing/view-script.ts';
import { claimEndpoint } from './claim-endpoint.ts';
import { createNetwork } from './create-network.ts';
import { recordSilences, releaseOrphan } from './gone-hosts.ts';
import { recordEvents } from './record-events.ts';
import { checkRecovered, endRecovery, recoveryEnd } from './recovery.ts';
import { registerNode } from './register-node.ts';
import { releaseEndpoint } from './release-endpoint.ts';

const event = { kind: 'cluster.restored', message: 'restored' } as const;
let desk: PlanHarness;

beforeEach(() => {
  desk = new PlanHarness(new SeededRandom(7));
});

describe('events without a write of their own', () => {
  test('are recorded with a token, which a retry finds', () => {
    const first = recordEvents([event], 'one');
    expect(first.plan(desk)).toMatchObject({
      compares: [{ kind: 'absent', key: desk.keys.eventMark }],
      events: [event],
    });
    desk.make(first);
    expect(first.plan(desk)).toMatchObject({ writes: [], events: [] });
    const revision = desk.view.eventMark?.revision;
    expect(recordEvents([event], 'two').plan(desk)).toMatchObject({
      compares: [{ kind: 'unchanged', key: desk.keys.eventMark, modRevision: revision }],
      events: [event],
    });
  });
});

describe('the recovery after a restore', () => {
  test.each([
    ['every host has reported', true, 60, 105],
    ['a host is missing', false, 60, 160],
    ['a host is missing, and the cooldown is short', false, 1, 105],
  ])('ends, when %s', (_, all, cooldown, end) => {
    expect(recoveryEnd(all, seconds(100), seconds(cooldown))).toBe(seconds(end));
  });

  test('refuses what gives addresses', () => {
    expect(() => checkRecovered({ recovering: false })).not.toThrow();
    expect(refusal(() => checkRecovered({ recovering: true })).code).toBe('recovering');
  });

  test.each<[string, Name[] | undefined, string | undefined]>([
    ['not over yet', undefined, undefined],
    ['over', [], 'hosts have claimed again what they hold'],
    [
      'over without some',
      ['h1', 'h2'] as Name[],
      'hosts have claimed again what they hold, not waiting any longer for h1, h2',
    ],
  ])('is %s when its end is planned', (_, missing, message) => {
    const { writes, events, reply } = endRecovery(() => missing).plan(desk);
    expect(reply).toEqual(missing);
    expect(writes).toEqual(message === undefined ? [] : [{ kind: 'delete', key: desk.keys.recovery }]);
    expect(events.map((each) => each.message)).toEqual(message === undefined ? [] : [message]);
  });
});

describe('gone hosts', () => {
  const attach = () => {
    desk.make(registerNode(scriptNode(1)));
    desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/24'])));
    return desk.make(
      claimEndpoint({ network: 'blue', name: 'web' as Name, node: nodeId(1), addresses: [Ip('10.66.0.9')] }),
    );
  };

  test('silences are recorded and removed, with the time for which managers have led', () => {
    const changes = [{ node: nodeId(1), since: 5 }, { node: nodeId(2) }];
    const { writes } = recordSilences({ changes, ledTime: 9 }).plan(desk);
    expect(writes.map(({ kind, key }) => `${kind} ${key}`)).toEqual([
      `put ${desk.keys.ledTime}`,
      `put ${desk.keys.nodeSilent(nodeId(1))}`,
      `delete ${desk.keys.nodeSilent(nodeId(2))}`,
    ]);
  });

  test('an endpoint is released if its host is still gone, once', () => {
    const { id } = attach();
    expect(releaseOrphan(id, 'h1 is gone', () => false).plan(desk).writes).toEqual([]);
    desk.make(releaseOrphan(id, 'h1 is gone', () => true));
    expect(desk.view.endpointCount).toBe(0);
    expect(releaseOrphan(id, 'h1 is gone', () => true).plan(desk)).toMatchObject({ writes: [], events: [] });
  });

  test('a release leaves claims that are not of the endpoint', () => {
    const { id, network } = attach();
    const key = desk.keys.address(network, Ip('10.66.0.9'));
    const gateway = desk.written.get(desk.keys.address(network, Ip('10.66.0.1'))) ?? new Uint8Array();
    desk.write({
      compares: [],
      writes: [{ kind: 'put', key, value: gateway }],
      takes: [],
      events: [],
      reply: undefined,
    });
    const release = releaseEndpoint({ endpoint: id, node: nodeId(1), reason: 'asked' });
    expect(release.plan(desk).writes.map(({ kind }) => kind)).toEqual(['delete', 'delete']);
  });
});

test.each([
  ['attach-failed', 'endpoint.detached: web 10.66.0.9/24 detached on h1: it could not be attached'],
  ['container-unknown', 'endpoint.orphaned: web 10.66.0.9/24 orphaned on h1: its host knows of no container for it'],
] as const)('a release because of %s', (reason, sentence) => {
  desk.make(registerNode(scriptNode(1)));
  desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/24'])));
  const claim = claimEndpoint({ network: 'blue', name: 'web' as Name, node: nodeId(1), addresses: [Ip('10.66.0.9')] });
  const { events } = releaseEndpoint({ endpoint: desk.make(claim).id, node: nodeId(1), reason }).plan(desk);
  expect(events.map(({ kind, message }) => `${kind}: ${message}`)).toEqual([sentence]);
});

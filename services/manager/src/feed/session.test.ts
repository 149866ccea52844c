import { CausewayError, type FeedVersion, feedVersions } from '@causeway/model';
import { beforeEach, expect, test } from 'vitest';
import { networkId, scriptNode } from '../testing/view-script.ts';
import type { AgentChannel } from './channel.ts';
import { Session } from './session.ts';

const feed = feedVersions.at(-1) as FeedVersion;
const host = scriptNode(1);
const hello = { kind: 'hello', cursors: [], subscribed: [], continues: true } as const;

let sent: Uint8Array[];
let closed: (CausewayError | undefined)[];
let session: Session;

beforeEach(() => {
  [sent, closed] = [[], []];
  const channel: AgentChannel = {
    peer: { kind: 'agent', node: host.id },
    requests: (async function* () {})(),
    send: (bytes) => void sent.push(bytes),
    backlog: 0,
    close: (error) => void closed.push(error),
  };
  session = new Session(channel, 5);
});

const admit = (): void => session.admit(host, new Map(), () => 3n, feed);

test('a session is introduced once', () => {
  expect([session.introduce(), session.introduce()]).toEqual([true, false]);
  expect(session.state.kind).toBe('introduced');
});

test('a session is not admitted before its Hello', () => {
  admit();
  expect([session.state.kind, session.node]).toEqual(['connected', undefined]);
});

test('a session that ended while its Hello was checked is not admitted', () => {
  session.introduce();
  session.close();
  admit();
  expect([session.state.kind, session.node]).toEqual(['closed', undefined]);
});

test('a session sends nothing of networks before it is admitted, nor after its end', () => {
  session.step(hello);
  session.introduce();
  session.step(hello);
  expect([sent, session.isReady, session.isBehind]).toEqual([[], false, false]);
  admit();
  session.step(hello);
  expect([sent.length, session.isReady]).toEqual([1, true]);
  session.close();
  session.step({ kind: 'resync', network: networkId(7) });
  expect([sent.length, session.isReady]).toEqual([1, false]);
});

test('a session that ends closes its connection once, for the first reason, and remembers its host', () => {
  session.introduce();
  admit();
  const error = new CausewayError('internal', 'the session failed');
  session.close(error);
  session.close();
  session.dismiss({ reason: 'too late' });
  session.send(new Uint8Array(1));
  expect([closed, sent]).toEqual([[error], []]);
  expect(session.node).toEqual(host);
});

test('a dismissed session says goodbye, then ends without an error', () => {
  session.dismiss({ reason: 'this manager is stopping' });
  expect([sent.length, closed]).toEqual([1, [undefined]]);
});

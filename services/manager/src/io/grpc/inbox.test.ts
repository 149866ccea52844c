import type { ConnectRequest } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { describe, expect, test } from 'vitest';
import { Inbox, sized } from './inbox.ts';

const request = (bytes: number): ConnectRequest => sized({ message: { oneofKind: undefined } }, bytes);

describe('an inbox', () => {
  test('counts a message until the reader asks for the next', async () => {
    let emptied = 0;
    const inbox = new Inbox(() => emptied++);
    const [first, second] = [request(10), request(20)];
    inbox.push(first);
    inbox.push(second);
    expect(await inbox.next()).toEqual({ done: false, value: first });
    expect([inbox.size, inbox.bytes, inbox.hasProcessed, emptied]).toEqual([1, 30, false, 0]);
    expect(await inbox.next()).toEqual({ done: false, value: second });
    expect([inbox.size, inbox.bytes, inbox.hasProcessed, emptied]).toEqual([0, 20, true, 0]);
    const third = inbox.next();
    expect([inbox.bytes, emptied]).toEqual([0, 1]);
    inbox.push(first);
    expect(await third).toEqual({ done: false, value: first });
  });

  test('is read to its end', async () => {
    const inbox = new Inbox(() => undefined);
    inbox.push(request(1));
    inbox.end();
    inbox.push(request(2));
    const read: ConnectRequest[] = [];
    for await (const message of inbox) read.push(message);
    expect(read).toHaveLength(1);
  });

  test('wakes a reader that waits when it ends', async () => {
    const inbox = new Inbox(() => undefined);
    const next = inbox.next();
    inbox.end();
    expect(await next).toEqual({ done: true, value: undefined });
  });
});

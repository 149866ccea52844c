import type { Receipt } from '@causeway/encryption';
import type { NodeId } from '@causeway/model';
import type { ConnectRequest } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { beforeEach, expect, it } from 'vitest';
import { ToldReceipts } from './told-receipts.ts';

const [b, c] = ['b2b2b2b2b2b2b2b2', 'c3c3c3c3c3c3c3c3'] as NodeId[] as [NodeId, NodeId];
const receipt = (version: number): Receipt => ({ version, receives: [{ sender: 1, receiver: 2 }] });

let told: ToldReceipts;
let messages: string[][];

beforeEach(() => {
  told = new ToldReceipts();
  messages = [];
});

function tell(...receipts: readonly [NodeId, Receipt][]): string[][] {
  const send = ({ message }: ConnectRequest): void => {
    if (message.oneofKind !== 'receipts') return;
    messages.push(message.receipts.receipts.map(({ nodeId, version }) => `${nodeId} ${version}`));
  };
  told.tell(new Map(receipts), send);
  return messages.splice(0);
}

it('tells each peer what has changed, and everything in a new session', () => {
  expect(tell([b, receipt(1)], [c, receipt(1)])).toEqual([[`${b} 1`, `${c} 1`]]);
  expect(tell([b, receipt(1)], [c, receipt(2)])).toEqual([[`${c} 2`]]);
  expect(tell([b, receipt(1)], [c, receipt(2)])).toEqual([]);
  told.begin();
  expect(tell([b, receipt(1)])).toEqual([[`${b} 1`]]);
});

it('tells a host that is a peer once more', () => {
  tell([b, receipt(1)]);
  tell();
  expect(tell([b, receipt(1)])).toEqual([[`${b} 1`]]);
});

it('puts as many into a message as a manager takes', () => {
  const many = Array.from({ length: 1_500 }, (_, n): [NodeId, Receipt] => [
    `${n}`.padStart(16, '0') as NodeId,
    receipt(1),
  ]);
  expect(tell(...many).map(({ length }) => length)).toEqual([1_024, 476]);
});

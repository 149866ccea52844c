import { seconds } from '@causeway/runtime';
import type { CallContext } from '../call/context.ts';
import type { Identity } from '../call/identity.ts';

const operator: Identity = { kind: 'operator', name: 'tester' };

/** A call as a test or a simulation makes it, without a server in between. */
export function callContext(fields: Partial<CallContext> = {}): CallContext {
  const { signal = new AbortController().signal } = fields;
  const usual = {
    method: 'test',
    peer: operator,
    actor: 'tester',
    isRetry: false,
    remaining: seconds(5),
    withoutLeader: false,
  };
  return { ...usual, remark: () => undefined, ...fields, signal };
}

import { CausewayError } from '@causeway/model';
import { autolockChanged } from '../events/describe.ts';
import type { Autolock, Ca } from '../store/records/ca.ts';
import { text } from '../store/records/codec.ts';
import { records } from '../store/records/index.ts';
import { nothingToDo, type Planning, type Proposal, type Request } from './intent.ts';

/**
 * Managers keep their sealing key locked (`autolock`) or open (undefined) from now on. Replies with the id of the unlock key
 * that holds; empty: none. `by`: who asks for it.
 * @throws from its plan: capability-missing
 */
export function setAutolock(autolock: Autolock | undefined, by: string): Request<string> {
  return {
    kind: 'ca.autolock',
    // Another caller who knows the id, from an event, gets no unlock key by it.
    content: JSON.stringify({ enabled: autolock !== undefined, by }),
    outcome: { toJson: (id) => ({ id }), fromJson: (json) => text(json, 'id') },
    lane: 'ca',
    plan: (planning) => planAutolock(autolock, planning),
  };
}

function planAutolock(autolock: Autolock | undefined, { view, keys }: Planning): Proposal<string> {
  const { ca } = view;
  if (ca === undefined) throw new CausewayError('capability-missing', 'this cluster was founded without a CA');
  const { autolock: present, ...open } = ca.value;
  if ((present === undefined) === (autolock === undefined)) return nothingToDo(present?.id ?? '', ca.revision);
  const next: Ca = autolock === undefined ? open : { ...open, autolock };
  return {
    ...nothingToDo(autolock?.id ?? ''),
    compares: [{ kind: 'unchanged', key: keys.ca, modRevision: ca.revision }],
    writes: [{ kind: 'put', key: keys.ca, value: records.ca.codec.encode(next, ca.original) }],
    events: [autolockChanged(autolock !== undefined)],
  };
}

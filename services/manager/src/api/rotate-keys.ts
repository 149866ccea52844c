import { parseRequestId, unwrap } from '@causeway/model';
import type { RotateKeysRequest, RotateKeysResponse } from '@causeway/proto/gen/causeway/v1/crypto_service.js';
import { seconds, within } from '@causeway/runtime';
import type { CallContext } from '../call/context.ts';
import { beginKeyRotation, rotatingHosts } from '../plan/rotate-keys.ts';
import { untilView } from '../store/until-view.ts';
import type { ApiContext } from './modules.ts';
import { type RotationFacts, rotationProgress } from './rotation-progress.ts';

/** Sessions and receipts change without a change of the view. */
const lookEvery = seconds(1);

/** Ends when the rotation is over, when only hosts without a session hold it up, or when the caller leaves. */
export async function* rotateKeys(
  context: ApiContext,
  request: RotateKeysRequest,
  call: CallContext,
): AsyncGenerator<RotateKeysResponse, void> {
  context.leading();
  const id = unwrap(parseRequestId(request.requestId));
  const { writer, view, clock } = context.modules;
  const { reply: total } = await writer.write(id, beginKeyRotation(request.now), call);
  const { signal } = call;
  for (let now = progressNow(context, total); ; now = progressNow(context, total)) {
    yield now;
    if (now.done) return;
    const hasChanged = (): boolean => JSON.stringify(progressNow(context, total)) !== JSON.stringify(now);
    while (!signal.aborted && !hasChanged())
      await within(clock, lookEvery, (span) => untilView(view, hasChanged, span), signal);
    if (signal.aborted) return;
  }
}

/** `total`: the number of hosts when the rotation began. */
function progressNow({ modules: { view, feed, clock } }: ApiContext, total: number): RotateKeysResponse {
  const rotation = view.records('keyRotation').get();
  if (rotation === undefined) return { rotated: total, total, waiting: [], unreachable: [], done: true };
  const facts: RotationFacts = {
    // After a change of leader, hosts come back within seconds.
    isSilent: (node) => feed.sessionOf(node).state === 'none' && !feed.progress.isAwaited(node, clock.now()),
    usersOfKeys: (node, upTo) => feed.usersOfKeys(node, upTo),
    nameOf: (node) => view.nodes.get(node)?.value.name ?? node,
  };
  return rotationProgress(rotatingHosts(rotation.value, view), facts);
}

import { type ClusterId, type FeedVersion, lastToldNumber, type NetworkId } from '@causeway/model';
import { networkFromMessage, rowChangesFromMessage } from '@causeway/proto';
import type { ConnectResponse, Delta as DeltaMessage } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { type Duration, milliseconds } from '@causeway/runtime';
import { type KeyNews, readKeyNews } from '../encryption/news.ts';
import type { Delta, Interner, Table } from '../tables/table.ts';
import { tableFromMessage } from '../tables/table-codec.ts';

/** A manager's message, as model values. */
export type Incoming =
  | {
      readonly kind: 'welcome';
      readonly clusterId: ClusterId;
      readonly epoch: bigint;
      readonly term: bigint;
      readonly heartbeat: Duration;
      /** After the session, the agent comes back at a random time within this span. */
      readonly returnWithin: Duration;
      /** Number of the feed version that the manager has chosen. */
      readonly feed: number;
    }
  | { readonly kind: 'complete'; readonly table: Table }
  | { readonly kind: 'delta'; readonly delta: Delta }
  | { readonly kind: 'withdraw'; readonly networkId: NetworkId }
  | { readonly kind: 'ready'; readonly revision: bigint }
  | { readonly kind: 'verify'; readonly call: bigint; readonly repair: boolean }
  | { readonly kind: 'crypto'; readonly call: bigint }
  | { readonly kind: 'rekey'; readonly after: number }
  | { readonly kind: 'keys'; readonly news: KeyNews }
  | { readonly kind: 'host-state'; readonly drained: boolean }
  | { readonly kind: 'goodbye'; readonly leader: string; readonly reason: string; readonly taken: boolean };

/**
 * Returns undefined for a message of a later protocol, which the caller skips. Throws on a message that contradicts
 * itself in this feed version.
 */
export async function readIncoming(
  response: ConnectResponse,
  feed: FeedVersion,
  interner: Interner,
  yieldNow: () => Promise<void>,
): Promise<Incoming | undefined> {
  const { message } = response;
  switch (message.oneofKind) {
    case 'welcome': {
      const { clusterId, epoch, term, heartbeatMs, returnWithinMs, feedVersion } = message.welcome;
      const pace = { heartbeat: milliseconds(heartbeatMs), returnWithin: milliseconds(returnWithinMs) };
      return { kind: 'welcome', clusterId: clusterId as ClusterId, epoch, term, ...pace, feed: feedVersion };
    }
    case 'complete':
      return { kind: 'complete', table: await tableFromMessage(message.complete, feed, interner, yieldNow) };
    case 'delta':
      return { kind: 'delta', delta: readDelta(message.delta, interner) };
    case 'withdraw':
      return { kind: 'withdraw', networkId: message.withdraw.networkId as NetworkId };
    case 'ready':
      return { kind: 'ready', revision: message.ready.revision };
    case 'verify':
      return { kind: 'verify', call: message.verify.call, repair: message.verify.repair };
    case 'crypto':
      return { kind: 'crypto', call: message.crypto.call };
    case 'rekey':
      // A host has no generation that is as large: it would make keys for ever.
      if (message.rekey.afterGeneration > lastToldNumber) return undefined;
      return { kind: 'rekey', after: Number(message.rekey.afterGeneration) };
    case 'hostState':
      return { kind: 'host-state', drained: message.hostState.drained };
    case 'goodbye': {
      const { leaderAddress, reason, taken } = message.goodbye;
      return { kind: 'goodbye', leader: leaderAddress, reason, taken };
    }
    case 'ownKeys':
    case 'peerKeys':
    case 'receipts': {
      const news = readKeyNews(response);
      return news && { kind: 'keys', news };
    }
    // Taken where connections are made: io/manager-link.ts.
    case 'removedManagers':
    case undefined:
      return undefined;
  }
}

function readDelta(message: DeltaMessage, interner: Interner): Delta {
  return {
    networkId: message.networkId as NetworkId,
    from: message.from,
    to: message.to,
    digest: message.digest,
    ...(message.network !== undefined && { network: networkFromMessage(message.network) }),
    changes: rowChangesFromMessage(message, (kind, row) => interner.row(kind, row)),
  };
}

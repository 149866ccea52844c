import type { NetworkId, NodeId } from '@causeway/model';
import type { Clock, Duration, Log, Random } from '@causeway/runtime';
import type { TermWriter } from '../commit/writer.ts';
import type { Controller } from '../election/controller.ts';
import type { EventOutlet } from '../events/event-sink.ts';
import type { Standing } from '../feed/holdings.ts';
import type { Keys } from '../store/keys.ts';
import type { Store } from '../store/store.ts';
import type { View } from '../store/view.ts';
import { Thawer } from './address-reuse.ts';
import { EventRecorder } from './event-recorder.ts';
import { EventRetention } from './event-retention.ts';
import { Reclaimer } from './gone-hosts.ts';
import { MtuKeeper } from './mtu.ts';
import { Recoverer } from './recovery.ts';
import { RosterKeeper } from './roster.ts';
import { SchemaKeeper } from './schema.ts';

/** What agents have told in the present term. */
export interface HostReports {
  /** How far a network's hosts are. */
  standing(network: NetworkId): Standing;
  /** Called when that may have changed. Returns the way to stop listening. */
  subscribeStanding(listener: (network: NetworkId) => void): () => void;
  /** When a host's session was lost, on the monotonic clock; undefined while it has one. */
  silentSince(node: NodeId): number | undefined;
  /** Nothing the host held before the store was restored waits to be claimed again. */
  hasRecovered(node: NodeId): boolean;
}

export interface ControllersParts {
  readonly view: View;
  readonly store: Pick<Store, 'get' | 'page' | 'txn' | 'maxTxnOps'>;
  readonly keys: Keys;
  readonly writer: TermWriter;
  readonly outlet: EventOutlet;
  /** How many events this manager has written. */
  readonly told: () => number;
  readonly hosts: HostReports;
  /** Lets agents in, and forgets what they told in earlier terms. */
  readonly sessions: Controller;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface ControllersSettings {
  readonly cooldown: Duration;
  readonly nodeGoneAfter: Duration;
  readonly eventHistory: Duration;
  readonly eventLimit: number;
  readonly schema: number;
}

/**
 * All that only a leader does, for one term, in the order in which it begins: events are taken before there are any, and
 * what earlier terms' sessions told is forgotten before a controller asks for it.
 */
export function createControllers(parts: ControllersParts, settings: ControllersSettings): readonly Controller[] {
  const { hosts } = parts;
  const asked = {
    standing: (network: NetworkId) => hosts.standing(network),
    subscribeStanding: (listener: (network: NetworkId) => void) => hosts.subscribeStanding(listener),
    silentSince: (node: NodeId) => hosts.silentSince(node),
    hasRecovered: (node: NodeId) => hosts.hasRecovered(node),
  };
  return [
    new EventRecorder(parts),
    parts.sessions,
    new SchemaKeeper(parts, settings),
    new RosterKeeper(parts),
    new MtuKeeper(parts),
    new Thawer({ ...parts, ...asked }, settings),
    new Recoverer({ ...parts, ...asked, teller: parts.outlet }, settings),
    new Reclaimer({ ...parts, ...asked }, settings),
    new EventRetention(parts, { history: settings.eventHistory, limit: settings.eventLimit }),
  ];
}

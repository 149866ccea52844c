import type { Clock, Duration, Log, Random } from '@causeway/runtime';
import type { TermWriter } from '../commit/writer.ts';
import type { Controller } from '../election/term.ts';
import type { EventRelay } from '../events/event-sink.ts';
import type { Keys } from '../store/keys.ts';
import type { Store } from '../store/store.ts';
import type { View } from '../store/view.ts';
import { AddressReuseController } from './address-reuse.ts';
import { CaRotation } from './ca-rotation.ts';
import { CertificateCleanup } from './certificate-cleanup.ts';
import { DriverChangeController } from './driver-change.ts';
import { EventRecorder } from './event-recorder.ts';
import { EventRetention } from './event-retention.ts';
import { GoneHostsController } from './gone-hosts.ts';
import type { HostReports } from './host-reports.ts';
import { KeyRotationController } from './key-rotation.ts';
import { MtuController } from './mtu.ts';
import { RecoveryController } from './recovery.ts';
import { RosterController } from './roster.ts';
import { SchemaController } from './schema.ts';

interface ControllersParts {
  readonly view: View;
  readonly store: Pick<Store, 'get' | 'page' | 'txn' | 'maxTxnOps'>;
  readonly keys: Keys;
  readonly writer: TermWriter;
  readonly relay: EventRelay;
  readonly hosts: HostReports;
  /** The feed: admits agents, and drops their reports from earlier terms. */
  readonly sessions: Controller;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

interface ControllersSettings {
  readonly cooldown: Duration;
  readonly nodeGoneAfter: Duration;
  readonly eventHistory: Duration;
  readonly eventLimit: number;
  readonly schema: number;
}

/**
 * All controllers of one term, in the order of their start. The event recorder starts before the first event. The feed drops
 * the reports of earlier terms before another controller asks for reports.
 */
export function createControllers(parts: ControllersParts, settings: ControllersSettings): readonly Controller[] {
  return [
    new EventRecorder(parts),
    parts.sessions,
    new SchemaController(parts, settings),
    new RosterController(parts),
    new MtuController(parts),
    new DriverChangeController(parts),
    new AddressReuseController(parts, settings),
    new RecoveryController(parts, settings),
    new GoneHostsController(parts, settings),
    new CaRotation(parts),
    new CertificateCleanup(parts),
    new KeyRotationController(parts),
    new EventRetention(parts, { history: settings.eventHistory, limit: settings.eventLimit }),
  ];
}

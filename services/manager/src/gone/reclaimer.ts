import { isCausewayError, type NodeId } from '@causeway/model';
import {
  type Clock,
  type Duration,
  formatDuration,
  type Log,
  minutes,
  type Startable,
  seconds,
} from '@causeway/runtime';
import type { View } from '../store/view.ts';
import type { Writer } from '../writer/writer.ts';
import { mostNotes, noteSilences, releaseOrphan } from './intents.ts';
import { type GonePlan, type HostSight, planGone } from './rule.ts';

export interface ReclaimerParts {
  readonly view: View;
  readonly writer: Pick<Writer, 'apply' | 'isLeading'>;
  /** When a host's session was lost, on the monotonic clock; undefined while it has one. */
  readonly silentSince: (node: NodeId) => number | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ReclaimerSettings {
  /** 0: never. */
  readonly nodeGoneAfter: Duration;
}

const lookEvery = seconds(5);

/** What a change of leader may forget of how long managers have led. Written only while a silence is noted. */
const checkpointEvery = minutes(1);

/** Of what it writes. */
const cause = 'node-gone';

/** So many releases are under way at once: others' calls come in between. */
const batch = 20;

/** This manager's time as leader, and how long managers had led before it. */
interface Tenure {
  readonly began: number;
  readonly ledBefore: number;
  checkpoint: number;
}

/** While this manager leads: notes which hosts are silent, and releases the endpoints of those that are gone. */
export class Reclaimer implements Startable {
  readonly #parts: ReclaimerParts;
  readonly #goneAfter: Duration;
  readonly #stop = new AbortController();
  #tenure: Tenure | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: ReclaimerParts, settings: ReclaimerSettings) {
    this.#parts = parts;
    this.#goneAfter = settings.nodeGoneAfter;
  }

  start(): Promise<void> {
    this.#running = this.#run(this.#stop.signal);
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** To be called on election, when the view has all that earlier leaders have written. */
  lead(): void {
    const { view, clock } = this.#parts;
    const ledBefore = view.ledTime?.milliseconds ?? 0;
    this.#tenure = { began: clock.now(), ledBefore, checkpoint: ledBefore };
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, writer, log } = this.#parts;
    for (;;) {
      await clock.sleep(lookEvery, signal);
      if (signal.aborted) return;
      if (this.#tenure === undefined || !writer.isLeading) continue;
      try {
        await this.#look(this.#tenure, signal);
      } catch (error) {
        if (!isCausewayError(error, 'not-leader')) log.warn('node.gone-not-settled', { error });
      }
    }
  }

  async #look(tenure: Tenure, signal: AbortSignal): Promise<void> {
    const now = this.#ledTime(tenure);
    const plan = planGone({ now, began: tenure.ledBefore, hosts: this.#hosts(tenure) }, this.#goneAfter);
    await this.#note(tenure, plan, now, signal);
    for (const node of plan.gone) await this.#release(node, signal);
  }

  *#hosts(tenure: Tenure): Generator<HostSight> {
    const { view, silentSince } = this.#parts;
    for (const node of new Set([...view.nodes.keys(), ...view.silences.keys()])) {
      const silent = silentSince(node);
      yield {
        node,
        hasEndpoints: view.endpointsOn(node).size > 0,
        silentSince: silent === undefined ? undefined : Math.trunc(tenure.ledBefore + silent - tenure.began),
        noted: view.silences.get(node)?.since,
      };
    }
  }

  async #note(tenure: Tenure, { note, forget }: GonePlan, ledTime: number, signal: AbortSignal): Promise<void> {
    const { view, writer } = this.#parts;
    const isDue = view.silences.size > 0 && ledTime - tenure.checkpoint >= checkpointEvery;
    const changes = [...Array.from(note, ([node, since]) => ({ node, since })), ...forget.map((node) => ({ node }))];
    if (changes.length === 0 && !isDue) return;
    for (let at = 0; at === 0 || at < changes.length; at += mostNotes) {
      await writer.apply(noteSilences({ changes: changes.slice(at, at + mostNotes), ledTime }), { cause, signal });
    }
    tenure.checkpoint = ledTime;
  }

  async #release(node: NodeId, signal: AbortSignal): Promise<void> {
    const { view, silentSince, writer, log } = this.#parts;
    const host = view.nodes.get(node)?.value.name ?? node;
    const endpoints = [...view.endpointsOn(node)];
    const why = `${host} has been gone for ${formatDuration(this.#goneAfter)}`;
    log.warn('node.gone', { nodeId: node, node: host, endpoints: endpoints.length });
    for (let at = 0; at < endpoints.length; at += batch) {
      if (signal.aborted || silentSince(node) === undefined) return;
      await Promise.all(
        endpoints.slice(at, at + batch).map((id) => writer.apply(releaseOrphan(id, why), { cause, signal })),
      );
    }
  }

  #ledTime({ began, ledBefore }: Tenure): number {
    return Math.trunc(ledBefore + this.#parts.clock.now() - began);
  }
}

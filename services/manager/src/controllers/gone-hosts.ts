import type { NodeId } from '@causeway/model';
import { type Clock, type Duration, formatDuration, type Log, Loop, minutes, seconds } from '@causeway/runtime';
import type { TermWriter } from '../commit/writer.ts';
import { type Controller, failureLog } from '../election/controller.ts';
import type { Term } from '../election/term.ts';
import { mostNotes, noteSilences, releaseOrphan } from '../plan/gone-hosts.ts';
import type { View } from '../store/view.ts';
import { type GonePlan, type HostSight, planGone } from './gone-hosts-rule.ts';

export interface ReclaimerParts {
  readonly view: View;
  readonly writer: TermWriter;
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

/** Notes which hosts are silent, and releases the endpoints of those that are gone. */
export class Reclaimer implements Controller {
  readonly #parts: ReclaimerParts;
  readonly #goneAfter: Duration;
  /** When the term began, and how long managers had led before it. */
  readonly #began: number;
  readonly #ledBefore: number;
  #checkpoint: number;

  constructor(parts: ReclaimerParts, settings: ReclaimerSettings) {
    this.#parts = parts;
    this.#goneAfter = settings.nodeGoneAfter;
    this.#began = parts.clock.now();
    this.#ledBefore = parts.view.ledTime?.milliseconds ?? 0;
    this.#checkpoint = this.#ledBefore;
  }

  run({ signal }: Term): Promise<void> {
    const { clock, log } = this.#parts;
    const step = async (): Promise<Duration> => {
      await this.#look(signal);
      return lookEvery;
    };
    return new Loop({ clock }, { step, failed: failureLog(log, 'node.gone-not-settled'), retryAfter: lookEvery }).run(
      signal,
    );
  }

  async #look(signal: AbortSignal): Promise<void> {
    const now = this.#ledTime;
    const hosts = [...this.#hosts()];
    const plan = planGone({ now, began: this.#ledBefore, hosts }, this.#goneAfter);
    const silences = new Map(plan.gone.map((node) => [node, this.#parts.silentSince(node)]));
    await this.#note(plan, now, signal);
    for (const [node, since] of silences) if (since !== undefined) await this.#release(node, since, signal);
  }

  *#hosts(): Generator<HostSight> {
    const { view, silentSince } = this.#parts;
    for (const node of new Set([...view.nodes.keys(), ...view.silences.keys()])) {
      const silent = silentSince(node);
      yield {
        node,
        hasEndpoints: view.endpointsOn(node).size > 0,
        silentSince: silent === undefined ? undefined : Math.trunc(this.#ledBefore + silent - this.#began),
        noted: view.silences.get(node)?.since,
      };
    }
  }

  async #note({ note, forget }: GonePlan, ledTime: number, signal: AbortSignal): Promise<void> {
    const { view, writer } = this.#parts;
    const isDue = view.silences.size > 0 && ledTime - this.#checkpoint >= checkpointEvery;
    const changes = [...Array.from(note, ([node, since]) => ({ node, since })), ...forget.map((node) => ({ node }))];
    if (changes.length === 0 && !isDue) return;
    for (let at = 0; at === 0 || at < changes.length; at += mostNotes) {
      await writer.apply(noteSilences({ changes: changes.slice(at, at + mostNotes), ledTime }), { cause, signal });
    }
    this.#checkpoint = ledTime;
  }

  /**
   * A write may wait for a store that does not answer, and the host come back meanwhile, or come back and be lost again:
   * each release asks once more, at the moment it is planned, whether this is still the silence that was judged.
   */
  async #release(node: NodeId, since: number, signal: AbortSignal): Promise<void> {
    const { view, silentSince, writer, log } = this.#parts;
    const isStillGone = (): boolean => silentSince(node) === since;
    if (!isStillGone()) return;
    const host = view.nodes.get(node)?.value.name ?? node;
    const endpoints = [...view.endpointsOn(node)];
    const why = `${host} has been gone for ${formatDuration(this.#goneAfter)}`;
    log.warn('node.gone', { nodeId: node, node: host, endpoints: endpoints.length });
    for (let at = 0; at < endpoints.length && isStillGone(); at += batch) {
      await Promise.all(
        endpoints
          .slice(at, at + batch)
          .map((id) => writer.apply(releaseOrphan(id, why, isStillGone), { cause, signal })),
      );
    }
  }

  get #ledTime(): number {
    return Math.trunc(this.#ledBefore + this.#parts.clock.now() - this.#began);
  }
}

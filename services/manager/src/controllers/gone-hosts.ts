import type { NodeId } from '@causeway/model';
import { type Clock, type Duration, formatDuration, type Log, Loop, minutes, seconds } from '@causeway/runtime';
import type { TermWriter } from '../commit/writer.ts';
import { type Controller, failureLog, type Term } from '../election/term.ts';
import { mostSilences, recordSilences, releaseOrphan } from '../plan/gone-hosts.ts';
import type { View } from '../store/view.ts';
import { type GoneHostsPlan, type HostObservation, planGoneHosts } from './gone-hosts-rule.ts';
import type { HostReports } from './host-reports.ts';

interface GoneHostsControllerParts {
  readonly view: View;
  readonly writer: TermWriter;
  readonly hosts: Pick<HostReports, 'silentSince'>;
  readonly clock: Clock;
  readonly log: Log;
}

interface GoneHostsControllerSettings {
  /** How long a host must be silent to be gone, ms; 0: no host is ever gone. */
  readonly nodeGoneAfter: Duration;
}

const lookEvery = seconds(5);

/** How often the led time is stored: a change of leader loses at most this much. Stored only while a silence is recorded. */
const checkpointEvery = minutes(1);

/** Cause of this controller's writes, in events. */
const cause = 'node-gone';

/** Most releases under way at once, so that other calls get their turn. */
const batch = 20;

/** Records which hosts are silent, and releases the endpoints of hosts that are gone. */
export class GoneHostsController implements Controller {
  readonly #parts: GoneHostsControllerParts;
  readonly #goneAfter: Duration;
  /** When the term began (ms, monotonic clock), and how long managers had led before it (ms). */
  readonly #began: number;
  readonly #ledBefore: number;
  #checkpoint: number;

  constructor(parts: GoneHostsControllerParts, settings: GoneHostsControllerSettings) {
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
    const plan = planGoneHosts({ now, began: this.#ledBefore, hosts }, this.#goneAfter);
    const silences = new Map(plan.gone.map((node) => [node, this.#parts.hosts.silentSince(node)]));
    await this.#record(plan, now, signal);
    for (const [node, since] of silences) if (since !== undefined) await this.#release(node, since, signal);
  }

  *#hosts(): Generator<HostObservation> {
    const { view, hosts } = this.#parts;
    for (const node of new Set([...view.nodes.keys(), ...view.silences.keys()])) {
      const silent = hosts.silentSince(node);
      yield {
        node,
        hasEndpoints: view.endpointsOn(node).size > 0,
        silentSince: silent === undefined ? undefined : Math.trunc(this.#ledBefore + silent - this.#began),
        recorded: view.silences.get(node)?.since,
      };
    }
  }

  async #record({ record, forget }: GoneHostsPlan, ledTime: number, signal: AbortSignal): Promise<void> {
    const { view, writer } = this.#parts;
    const isDue = view.silences.size > 0 && ledTime - this.#checkpoint >= checkpointEvery;
    const changes = [...Array.from(record, ([node, since]) => ({ node, since })), ...forget.map((node) => ({ node }))];
    if (changes.length === 0 && !isDue) return;
    for (let at = 0; at === 0 || at < changes.length; at += mostSilences) {
      await writer.apply(recordSilences({ changes: changes.slice(at, at + mostSilences), ledTime }), { cause, signal });
    }
    this.#checkpoint = ledTime;
  }

  /**
   * A write may have to wait for a store that does not answer. Meanwhile the host may come back, or come back and be lost
   * again. So each release checks, when it is planned, that the host is still in the silence that was judged.
   */
  async #release(node: NodeId, since: number, signal: AbortSignal): Promise<void> {
    const { view, hosts, writer, log } = this.#parts;
    const isStillGone = (): boolean => hosts.silentSince(node) === since;
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

import { SeededRandom } from '@causeway/runtime/testing';

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** What is attached to the network: it gets frames, and is woken when it wants. */
export interface Station {
  readonly name: string;
  isUp: boolean;
  readonly nextWake: number;
  receive(from: string, bytes: Uint8Array, now: number): void;
  wake(now: number): void;
}

/**
 * Carries frames between stations in virtual time: loses, repeats and delays datagrams, and cuts links. Streams lose nothing, but do
 * not pass a cut. The same seed gives the same run.
 */
export class VirtualNetwork {
  now = 0;
  loss = 0;
  duplication = 0;
  /** Milliseconds. Different delays change the order of datagrams. */
  delay: readonly [number, number] = [0.3, 1];
  reaches: (from: string, to: string) => boolean = () => true;
  datagrams = 0;
  bytes = 0;
  readonly random: SeededRandom;
  readonly #stations = new Map<string, Station>();
  readonly #events: Event[] = [];
  #order = 0;

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
  }

  attach(station: Station): void {
    this.#stations.set(station.name, station);
  }

  send(from: string, to: string, bytes: Uint8Array, isReliable: boolean): void {
    this.datagrams++;
    this.bytes += bytes.length;
    if (!isReliable && this.random.float() < this.loss) return;
    const copies = !isReliable && this.random.float() < this.duplication ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const [least, most] = this.delay;
      this.at(this.now + least + this.random.float() * (most - least), () => {
        const station = this.#stations.get(to);
        if (station?.isUp === true && this.reaches(from, to)) station.receive(from, bytes, this.now);
      });
    }
  }

  at(at: number, run: () => void): void {
    const event = { at, order: this.#order++, run };
    let index = this.#events.push(event) - 1;
    for (; index > 0 && isBefore(event, this.#events[index - 1] as Event); index--)
      this.#events[index] = this.#events[index - 1] as Event;
    this.#events[index] = event;
  }

  /** Runs so many milliseconds, or until the condition holds; looks every 20 ms. Returns when that was. */
  run(span: number, until: () => boolean = () => false): number {
    const started = this.now;
    for (let look = started; look < started + span && !until(); ) {
      look = Math.min(look + 20, started + span);
      for (let next = this.#next(); next.at <= look; next = this.#next()) {
        this.now = Math.max(this.now, next.at);
        next.run();
      }
      this.now = look;
    }
    return this.now - started;
  }

  /** The first event, or the first station that wants to wake. */
  #next(): Pick<Event, 'at' | 'run'> {
    let [at, run] = [this.#events[0]?.at ?? Number.POSITIVE_INFINITY, (): void => this.#events.shift()?.run()];
    for (const station of this.#stations.values()) {
      if (!station.isUp || station.nextWake >= at) continue;
      [at, run] = [station.nextWake, () => station.wake(this.now)];
    }
    return { at, run };
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

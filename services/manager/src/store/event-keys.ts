export interface EventsKey {
  readonly time: number;
  readonly index: number;
  /** How many events the record has. */
  readonly count: number;
}

/**
 * The keys of events: one key for each transaction, in the order of the writes. The keys are beside the prefix, not under
 * it: there are far more events than other records, and no view needs them.
 */
export class EventKeys {
  readonly events: string;
  /** Key of the revision up to which events are not kept any more. */
  readonly eventHorizon: string;

  constructor(prefix: string) {
    this.events = `${prefix.slice(0, -1)}-events/`;
    this.eventHorizon = `${prefix}event-horizon`;
  }

  /** Exclusive end of the keys of events. */
  get eventsEnd(): string {
    return `${this.events.slice(0, -1)}0`; // "0" is the character after "/"
  }

  /** Place of a record of events: a time in Unix ms, and a number that orders the records of one millisecond. */
  placeForEvents(time: number, index = 0): string {
    return `${this.events}${String(time).padStart(13, '0')}-${index.toString(16).padStart(4, '0')}`;
  }

  /**
   * Key of a record with `count` events. The count is in the key, so that a reader that only counts events needs no values.
   */
  eventsAt(place: string, count: number): string {
    return `${place}-${count}`;
  }

  /** Parses a place, or the key of a record. */
  parseEvents(key: string): EventsKey | undefined {
    const [, time, index, count = '0'] =
      /^(\d{13})-([0-9a-f]{4})(?:-(\d+))?$/.exec(key.slice(this.events.length)) ?? [];
    if (time === undefined || index === undefined) return undefined;
    return { time: Number(time), index: parseInt(index, 16), count: Number(count) };
  }
}

export interface EventsKey {
  readonly time: number;
  readonly index: number;
  /** Of the events there. */
  readonly count: number;
}

/**
 * All events, one key a transaction, in the order they were written. They stand beside the prefix, not under it: there
 * are far more of them than of anything else, and no view wants them.
 */
export class EventKeys {
  readonly events: string;
  /** The revision up to which events are not kept any more. */
  readonly eventHorizon: string;

  constructor(prefix: string) {
    this.events = `${prefix.slice(0, -1)}-events/`;
    this.eventHorizon = `${prefix}event-horizon`;
  }

  /** Greater than every key of an event, and less than any other key after those. */
  get eventsEnd(): string {
    return `${this.events.slice(0, -1)}0`; // "0" is the character after "/"
  }

  /** Where a record of events may stand: a time in Unix milliseconds, and a number among those of one millisecond. */
  placeForEvents(time: number, index = 0): string {
    return `${this.events}${String(time).padStart(13, '0')}-${index.toString(16).padStart(4, '0')}`;
  }

  /** Of a record with so many events: who only counts them needs no values. */
  eventsAt(place: string, count: number): string {
    return `${place}-${count}`;
  }

  /** Of a place, or of a key at one. */
  parseEvents(key: string): EventsKey | undefined {
    const [, time, index, count = '0'] =
      /^(\d{13})-([0-9a-f]{4})(?:-(\d+))?$/.exec(key.slice(this.events.length)) ?? [];
    if (time === undefined || index === undefined) return undefined;
    return { time: Number(time), index: parseInt(index, 16), count: Number(count) };
  }
}

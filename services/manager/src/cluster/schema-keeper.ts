import { isCausewayError } from '@causeway/model';
import { type Clock, type Log, type Startable, seconds, Worker } from '@causeway/runtime';
import type { View } from '../store/view.ts';
import type { Writer } from '../writer/writer.ts';
import { isOutdated, mayRaise, raiseSchema } from './schema.ts';

export interface SchemaKeeperParts {
  readonly view: View;
  readonly writer: Pick<Writer, 'apply' | 'isLeading'>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface SchemaKeeperSettings {
  /** The newest schema this version knows. */
  readonly schema: number;
}

const retryDelay = seconds(1);

/** While this manager leads it raises the store's schema to its own as soon as all know it; and it says when it is too old itself. */
export class SchemaKeeper implements Startable {
  readonly #parts: SchemaKeeperParts;
  readonly #settings: SchemaKeeperSettings;
  readonly #worker = new Worker((signal) => this.#work(signal));
  #unsubscribe: (() => void) | undefined;
  #outdated = false;

  constructor(parts: SchemaKeeperParts, settings: SchemaKeeperSettings) {
    this.#parts = parts;
    this.#settings = settings;
  }

  start(): Promise<void> {
    this.#unsubscribe = this.#parts.view.subscribe((changes) => {
      if (!changes.some(({ kind }) => kind === 'manager' || kind === 'cluster' || kind === 'reset')) return;
      this.#report();
      void this.settle();
    });
    this.#report();
    return this.settle();
  }

  async stop(): Promise<void> {
    this.#unsubscribe?.();
    await this.#worker.stop();
  }

  /** To be called on election too. */
  settle(): Promise<void> {
    return this.#worker.poke();
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { view, writer, clock, log } = this.#parts;
    const { schema } = this.#settings;
    while (writer.isLeading && !signal.aborted && mayRaise(view, schema)) {
      try {
        await writer.apply(raiseSchema(schema), { cause: 'schema' });
        if (view.cluster?.schema === schema) log.info('cluster.schema-raised', { schema });
      } catch (error) {
        if (!isCausewayError(error, 'not-leader')) log.warn('cluster.schema-not-raised', { schema, error });
        await clock.sleep(retryDelay, signal);
      }
    }
  }

  /** Once for each change. */
  #report(): void {
    const { view, log } = this.#parts;
    const { schema } = this.#settings;
    const outdated = isOutdated(view, schema);
    if (outdated === this.#outdated) return;
    this.#outdated = outdated;
    if (outdated) log.error('manager.outdated', { schema: view.cluster?.schema, known: schema });
    else log.info('manager.up-to-date', { schema: view.cluster?.schema, known: schema });
  }
}

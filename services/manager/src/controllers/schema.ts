import { type Clock, type Log, Loop, seconds } from '@causeway/runtime';
import { mayRaise, raiseSchema } from '../cluster/schema.ts';
import type { TermWriter } from '../commit/writer.ts';
import { type Controller, failureLog, type Term } from '../election/term.ts';
import type { View } from '../store/view.ts';

interface SchemaControllerParts {
  readonly view: View;
  readonly writer: TermWriter;
  readonly clock: Clock;
  readonly log: Log;
}

interface SchemaControllerSettings {
  /** The newest schema that this version knows. */
  readonly schema: number;
}

const retryAfter = seconds(1);

/** Raises the store's schema to that of this version as soon as all managers know this schema. */
export class SchemaController implements Controller {
  readonly #parts: SchemaControllerParts;
  readonly #schema: number;

  constructor(parts: SchemaControllerParts, settings: SchemaControllerSettings) {
    this.#parts = parts;
    this.#schema = settings.schema;
  }

  async run({ signal }: Term): Promise<void> {
    const { view, log } = this.#parts;
    const step = (): Promise<undefined> => this.#settle(signal);
    const loop = new Loop(this.#parts, { step, failed: failureLog(log, 'cluster.schema-not-raised'), retryAfter });
    const unsubscribe = view.subscribe((changes) => {
      if (changes.some(({ kind }) => kind === 'manager' || kind === 'cluster' || kind === 'reset')) loop.wake();
    });
    await loop.run(signal);
    unsubscribe();
  }

  async #settle(signal: AbortSignal): Promise<undefined> {
    const { view, writer, log } = this.#parts;
    if (!mayRaise(view, this.#schema)) return;
    await writer.apply(raiseSchema(this.#schema), { cause: 'schema', signal });
    if (view.cluster?.schema === this.#schema) log.info('cluster.schema-raised', { schema: this.#schema });
  }
}

import type { Fields, Log } from '../log.ts';

export interface LogLine {
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  readonly event: string;
  readonly fields: Fields;
}

/** Keeps all lines, for tests that check what was logged. */
export class MemoryLog implements Log {
  readonly lines: LogLine[];
  readonly #fields: Fields;

  constructor(lines: LogLine[] = [], fields: Fields = {}) {
    this.lines = lines;
    this.#fields = fields;
  }

  error(event: string, fields: Fields = {}): void {
    this.#add('error', event, fields);
  }

  warn(event: string, fields: Fields = {}): void {
    this.#add('warn', event, fields);
  }

  info(event: string, fields: Fields = {}): void {
    this.#add('info', event, fields);
  }

  debug(event: string, fields: Fields = {}): void {
    this.#add('debug', event, fields);
  }

  child(fields: Fields): MemoryLog {
    return new MemoryLog(this.lines, { ...this.#fields, ...fields });
  }

  #add(level: LogLine['level'], event: string, fields: Fields): void {
    this.lines.push({ level, event, fields: { ...this.#fields, ...fields } });
  }
}

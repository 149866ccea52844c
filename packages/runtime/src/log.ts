/** Fields of a log line; names are listed in docs/logging.md. Never a key or a token. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * Levels by who must act. error: an operator, now. warn: an operator, today, or a repair we made ourselves.
 * info: life cycle of the process and of sessions. debug: one line for each change applied.
 */
export interface Log {
  error(event: string, fields?: Fields): void;
  warn(event: string, fields?: Fields): void;
  info(event: string, fields?: Fields): void;
  debug(event: string, fields?: Fields): void;
  child(fields: Fields): Log;
}

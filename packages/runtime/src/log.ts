/** Fields of a log line. docs/logging.md lists their names. They never contain a key or a token. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * Levels by who must act. error: an operator, now. warn: an operator, today; also a repair that this program has made.
 * info: the life cycle of the process and of sessions. debug: one line for each applied change.
 */
export interface Log {
  error(event: string, fields?: Fields): void;
  warn(event: string, fields?: Fields): void;
  info(event: string, fields?: Fields): void;
  debug(event: string, fields?: Fields): void;
  child(fields: Fields): Log;
}

export const logLevels = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

/** json: one object per line, for programs. text: time, level, event and key=value, for people. */
export const logFormats = ['json', 'text'] as const;
export type LogFormat = (typeof logFormats)[number];

export interface LogSettings {
  readonly level: LogLevel;
  readonly format: LogFormat;
}

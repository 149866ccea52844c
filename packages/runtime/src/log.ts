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

export const logLevels = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

/** json: one object a line, for programs. text: time, level, event and key=value, for people. */
export const logFormats = ['json', 'text'] as const;
export type LogFormat = (typeof logFormats)[number];

export interface LogSettings {
  readonly level: LogLevel;
  readonly format: LogFormat;
}

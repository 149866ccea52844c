import { type Logger, pino } from 'pino';
import type { Fields, Log } from '../log.ts';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** JSON lines on stderr: stdout is for data. */
export function createLog(level: LogLevel, fields: Fields): Log {
  return wrap(pino({ level, base: fields, messageKey: 'event' }, pino.destination({ dest: 2, sync: true })));
}

function wrap(logger: Logger): Log {
  return {
    error: (event, fields) => logger.error(fields ?? {}, event),
    warn: (event, fields) => logger.warn(fields ?? {}, event),
    info: (event, fields) => logger.info(fields ?? {}, event),
    debug: (event, fields) => logger.debug(fields ?? {}, event),
    child: (fields) => wrap(logger.child(fields)),
  };
}

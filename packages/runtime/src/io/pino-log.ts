import { type Logger, pino } from 'pino';
import type { Fields, Log } from '../log.ts';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** Bytes kept of what the other side does not take, and no more. */
const backlog = 1024 * 1024;
const stderr = 2;

/**
 * JSON lines on stderr: stdout is for data. Where they go may be full, or nobody may read them any more. Then lines are
 * lost and the process lives: nobody would be served by one that ends because it cannot say so.
 */
export function createLog(level: LogLevel, fields: Fields, file = stderr): Log {
  const destination = pino.destination({ dest: file, sync: true, maxLength: backlog });
  destination.on('error', () => undefined);
  return wrap(pino({ level, base: fields, messageKey: 'event' }, destination));
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

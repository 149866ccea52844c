import { fstatSync } from 'node:fs';
import { type Logger, pino } from 'pino';
import type { Fields, Log, LogSettings } from '../log.ts';
import { formatLogText, journalPriority } from '../log-line.ts';

/** Maximum number of bytes that wait for the reader of the log. Further lines are lost. */
const backlog = 1024 * 1024;
const stderr = 2;

/**
 * Writes lines to stderr, because stdout is for data. When the disk behind stderr is full, or its reader is gone, lines
 * are lost and the process continues, because its end would not help. When stderr is systemd's journal, each line begins
 * with its priority (sd-daemon(3)), so that "journalctl -p err" finds errors.
 */
export function createLog({ level, format }: LogSettings, fields: Fields, file = stderr): Log {
  const destination = pino.destination({ dest: file, sync: true, maxLength: backlog });
  destination.on('error', () => undefined);
  const toJournal = isJournal(file);
  const stream = {
    write(line: string): void {
      const text = format === 'text' ? `${formatLogText(line)}\n` : line;
      destination.write(toJournal ? `${journalPriority(levelOf(line))}${text}` : text);
    },
  };
  const options = {
    level,
    base: fields,
    messageKey: 'event',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (name: string) => ({ level: name }) },
  };
  return wrap(pino(options, format === 'json' && !toJournal ? destination : stream));
}

/** pino writes the level first: {"level":"warn",… */
function levelOf(line: string): string {
  return line.slice(line.indexOf(':') + 2, line.indexOf('",'));
}

/** systemd.exec(5): $JOURNAL_STREAM is "device:inode" of the journal that is the stderr of the process. */
function isJournal(file: number): boolean {
  const journal = process.env['JOURNAL_STREAM'];
  if (journal === undefined) return false;
  const { dev, ino } = fstatSync(file, { bigint: true });
  return journal === `${dev}:${ino}`;
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

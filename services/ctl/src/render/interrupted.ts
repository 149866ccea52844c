import type { Context } from '../context.ts';
import { paint } from './paint.ts';
import { visible } from './visible.ts';

/**
 * A change that was under way at SIGINT or SIGTERM may or may not be made. `seenBy`: the command that shows this;
 * undefined: there was no change.
 */
export function sayInterrupted({ stderr }: Pick<Context, 'stderr'>, seenBy: string | undefined): void {
  if (seenBy === undefined) return;
  const said = `interrupted: whether the change was made is unknown; to find out: ${seenBy}`;
  stderr.write(`${paint('causeway:', 'bad', stderr.colour)} ${visible(said)}\n`);
}

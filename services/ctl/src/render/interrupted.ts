import type { Context } from '../context.ts';
import { paint } from './paint.ts';
import { visible } from './visible.ts';

/** A change that was under way at SIGINT or SIGTERM may be made or not. `seenBy`: what shows which; undefined: no change was. */
export function sayInterrupted({ stderr }: Pick<Context, 'stderr'>, seenBy: string | undefined): void {
  if (seenBy === undefined) return;
  const said = `interrupted: whether the change was made is not known; to look: ${seenBy}`;
  stderr.write(`${paint('causeway:', 'bad', stderr.colour)} ${visible(said)}\n`);
}

import * as k from './constants.ts';
import { readLink } from './link.ts';
import type { MessageReader } from './reader.ts';

/**
 * Tells changes from traffic among what a monitor hears. The ARP and ND states of a bridge's own neighbours change all
 * the time that containers talk to their gateway (REACHABLE, STALE, DELAY …); nothing we read depends on them, and
 * each would cost a dump. Permanent entries, and every entry of other devices, are configuration.
 */
export class ChangeFilter {
  readonly #bridges = new Set<number>();

  /** The name of the link, if it is of one; else whether it is a change. */
  changeOf(message: MessageReader): string | boolean {
    if (message.type === k.RTM_NEWLINK || message.type === k.RTM_DELLINK) return this.#follow(message);
    if (message.type !== k.RTM_NEWNEIGH && message.type !== k.RTM_DELNEIGH) return true;
    const ofBridge = message.u8(0) !== k.AF_BRIDGE && this.#bridges.has(message.i32(4));
    return !ofBridge || (message.u16(8) & k.NUD_PERMANENT) !== 0;
  }

  /** A link of a dump or an event. Events of family AF_BRIDGE are about ports and name no kind. */
  #follow(message: MessageReader): string {
    const { index, kind, name } = readLink(message);
    if (message.u8(0) === k.AF_BRIDGE) return name;
    if (message.type === k.RTM_NEWLINK && kind === 'bridge') this.#bridges.add(index);
    else this.#bridges.delete(index);
    return name;
  }
}

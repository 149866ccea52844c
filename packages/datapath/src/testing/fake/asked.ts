import type { Ip, Mac } from '@causeway/model';
import type { Announcement } from '../../announce/announcement.ts';
import { portOf } from '../../kinds/link/link.ts';
import { portEntriesOf } from '../twins/fdb.ts';
import { type FakeLink, type FakeNamespace, findLink, perOwner, Refusal } from './host.ts';

/** The addresses that programs behind the link have asked for, with the MACs that they learned. */
export const askedOf = perOwner<FakeLink, Map<Ip, Mac | undefined>>(() => new Map());

/** Sends the announcements out of the bridge: to the ports that they are for, and to the bridge's own entries. */
export function announce(namespace: FakeNamespace, dev: string, announcements: readonly Announcement[]): void {
  const bridge = findLink(namespace, dev);
  if (!bridge.link.up && announcements.some(({ to }) => to.length > 0)) throw new Refusal('ENETDOWN', `${dev} is down`);
  const ports = [...namespace.links.values()].filter(({ link }) => link.up && portOf(link)?.master === dev);
  for (const { ip, mac, to } of announcements) {
    learn(bridge, ip, mac);
    for (const port of ports) {
      const station = port.other?.namespace.links.get(port.other.name);
      const isMeant = to === 'all' || to.some((each) => portEntriesOf(port).has(each) && station?.link.mac === each);
      if (station?.link.up === true && isMeant) learn(station, ip, mac);
    }
  }
}

/** Only an entry that was asked for changes. */
function learn(link: FakeLink, ip: Ip, mac: Mac): void {
  const asked = askedOf(link);
  if (asked.has(ip)) asked.set(ip, mac);
}

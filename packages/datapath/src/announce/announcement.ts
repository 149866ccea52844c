import type { Ip, Mac } from '@causeway/model';

/**
 * Tells containers which MAC an address has. A container that asked for the address before the endpoint existed got no
 * answer, and its kernel asks again only a second later.
 */
export interface Announcement {
  readonly ip: Ip;
  readonly mac: Mac;
  /** "all": every container on the bridge. Otherwise the containers with these MACs. */
  readonly to: 'all' | readonly Mac[];
}

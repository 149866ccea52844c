import type { Log } from '@causeway/runtime';
import type { StoreMemberStatus } from '../../store/store.ts';
import type { EtcdStore } from '../etcd/store.ts';
import type { EmbeddedEtcd } from './embedded-etcd.ts';

export interface FollowMembersParts {
  readonly store: Pick<EtcdStore, 'useEndpoints'>;
  readonly etcd: Pick<EmbeddedEtcd, 'endpoint' | 'advertisedEndpoint'>;
  readonly log: Log;
}

/**
 * Sets the store's endpoints to the cluster's members, this manager's own etcd first. So the store still works when that
 * etcd is down.
 */
export function followMembers({
  store,
  etcd,
  log,
}: FollowMembersParts): (members: readonly StoreMemberStatus[]) => void {
  let used = '';
  return (members) => {
    const others = members.flatMap(({ learner, clientUrls: [url] }) => (learner || url === undefined ? [] : [url]));
    const endpoints = [
      etcd.endpoint,
      ...others.filter((url) => url !== etcd.advertisedEndpoint && url !== etcd.endpoint),
    ];
    if (String(endpoints) === used) return;
    store.useEndpoints(endpoints);
    used = String(endpoints);
    log.info('etcd.endpoints-changed', { endpoints });
  };
}

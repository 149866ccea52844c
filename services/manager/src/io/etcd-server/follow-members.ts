import type { Log } from '@causeway/runtime';
import type { StoreMemberStatus } from '../../store/store.ts';
import type { EtcdStore } from '../etcd/store.ts';
import type { EmbeddedEtcd } from './embedded-etcd.ts';

export interface FollowMembersParts {
  readonly store: Pick<EtcdStore, 'useEndpoints'>;
  readonly etcd: Pick<EmbeddedEtcd, 'endpoint' | 'advertisedEndpoint'>;
  readonly log: Log;
}

/** Makes the store's endpoints what the cluster's members are, own etcd first: so the store goes on when that one is down. */
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

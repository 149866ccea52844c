import type { Server } from '@grpc/grpc-js';
import type { Credential } from '../../credential.ts';
import type { Role } from '../../name.ts';
import { authorityOf, cluster, credentialOf, name, type Wanted } from '../../testing/fixtures.ts';
import { type Pin, pinOf } from '../../trust.ts';
import type { Expected } from '../../verify.ts';
import type { Authority } from '../../x509/issue.ts';
import { ClientCredentials } from '../client-credentials.ts';
import { LiveCredential } from '../live-credential.ts';
import { PeerListener } from '../peer-listener.ts';

/** OpenSSL reads the clock of this machine, so these certificates are of today. */
const now = (): number => Date.now();

/** A cluster's CA, and its members, for tests of other packages. */
export class TestCluster {
  readonly id: typeof cluster;
  readonly #authority: Authority;
  #keys = 0;

  /** Clusters with the same seed have the same CA. */
  constructor({ id = cluster, seed = 1 }: { readonly id?: typeof cluster; readonly seed?: number } = {}) {
    this.id = id;
    this.#authority = authorityOf(seed, id, now());
    this.#keys = seed * 10_000;
  }

  /** The pin of its CA, as a join token has it. */
  get pin(): Pin {
    return pinOf(this.#authority.certificate);
  }

  /** What a member expects of a manager. */
  get expectedOfManagers(): Expected {
    return { cluster: this.id, roles: ['manager'], trust: [this.#authority.certificate], now: now() };
  }

  member(role: Role, id: string, wanted: Wanted = {}): LiveCredential {
    return new LiveCredential(this.credential(role, id, wanted));
  }

  credential(role: Role, id: string, wanted: Wanted = {}): Credential {
    const seed = ++this.#keys;
    return credentialOf(this.#authority, name(role, id, this.id), { at: now(), seed, ...wanted });
  }

  /** For connections of this member to managers of the cluster. */
  client(role: Role, id: string): ClientCredentials {
    return clientOf(this.member(role, id));
  }

  /** Serves on 127.0.0.1 as this member. The caller ends the server. */
  async serve(server: Server, as = this.member('manager', 'm1'), port = 0): Promise<Served> {
    const expected = () => ({ ...everyRole, cluster: this.id, trust: as.current.trust, now: now() });
    const listener = new PeerListener({ server, credential: as, expected }, { host: '127.0.0.1', port });
    const bound = await listener.start();
    const stop = (): void => {
      listener.stop();
      server.forceShutdown();
    };
    return { address: `127.0.0.1:${bound}`, stop };
  }
}

const everyRole: { readonly roles: readonly Role[] } = { roles: ['operator', 'manager', 'agent'] };

export interface Served {
  readonly address: string;
  stop(): void;
}

/** For connections of a member to the managers of its cluster. */
export function clientOf(member: LiveCredential): ClientCredentials {
  return ClientCredentials.toManagers(member, now);
}

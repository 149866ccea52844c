import { execFileSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Credential,
  formatCertificates,
  formatPrivateKey,
  issueNode,
  issueRoot,
  type Role,
} from '@causeway/identity';
import { ClientCredentials, createKey, LiveCredential } from '@causeway/identity/io';
import type { ClusterId } from '@causeway/model';
import { cryptoRandom, systemClock } from '@causeway/runtime/io';
import type { Caller } from './clients.ts';

/**
 * Members of a cluster whose CA this process has made. So it makes credentials for thousands of agents itself, without a
 * join for each.
 */
export class Members {
  readonly #caKey = createKey();
  readonly #root = issueRoot('bench0bench0bench' as ClusterId, this.#caKey, this.#issuing);
  /** One key for all: only their certificates differ. */
  readonly #key = createKey();
  readonly #cluster: ClusterId;

  /** Founds a cluster for the manager `m1`, in a directory that exists. `program`: the manager's. */
  constructor(program: string, { directory, listen }: { readonly directory: string; readonly listen: string }) {
    const [cert, key] = [join(directory, 'ca-cert.pem'), join(directory, 'ca-key.pem')];
    writeFileSync(cert, formatCertificates([this.#root]));
    writeFileSync(key, formatPrivateKey(this.#caKey), { mode: 0o600 });
    const own = ['--name', 'm1', '--listen', listen, '--data-dir', join(directory, 'manager')];
    const ca = ['--ca-cert', cert, '--ca-key', key, '--operator-dir', join(directory, 'operator')];
    const said = execFileSync(process.execPath, [program, 'init', ...own, ...ca, '--output', 'json']);
    this.#cluster = (JSON.parse(String(said)) as { readonly clusterId: ClusterId }).clusterId;
  }

  credential(role: Role, id: string): Credential {
    const holder = { name: { cluster: this.#cluster, role, id }, key: createPublicKey(this.#key) };
    const certificate = issueNode({ certificate: this.#root, key: this.#caKey }, holder, this.#issuing);
    return { key: this.#key, chain: [certificate], trust: [this.#root] };
  }

  client(role: Role, id: string): ClientCredentials {
    return ClientCredentials.toManagers(new LiveCredential(this.credential(role, id)), () => systemClock.wall());
  }

  /** A manager that forwards the calls of operators and agents: many hosts share its connection. */
  forwarder(): Caller {
    return { credentials: this.client('manager', 'bench'), forwards: true };
  }

  get #issuing() {
    return { now: systemClock.wall(), random: cryptoRandom };
  }
}

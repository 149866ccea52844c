import type { Home } from '@causeway/enrollment';
import { MemoryHome } from '@causeway/enrollment/testing';
import { CausewayError, Ip } from '@causeway/model';
import type { Founded, Service, ThisHost } from '../this-host.ts';

/** A host in memory. */
export class FakeHost implements ThisHost {
  readonly name = 'h7';
  isWritable = true;
  hasSystemd = true;
  readonly settings = new Map<Service, string>();
  readonly homes = new Map<string, MemoryHome>();
  /** "start agent", "init --name m1 …": what was done, in order. */
  readonly done: string[] = [];
  /** Tokens by the path of their file. */
  readonly tokens = new Map<string, string>();

  dataDir(service: Service): string {
    return `/var/lib/causeway/${service}`;
  }

  settingsFile(service: Service): string {
    return `/etc/causeway/${service}.env`;
  }

  async readSettings(service: Service): Promise<string> {
    return this.settings.get(service) ?? '';
  }

  async writeSettings(service: Service, text: string): Promise<void> {
    this.settings.set(service, text);
  }

  home(_service: Service, dataDir: string): Home {
    const home = this.homes.get(dataDir) ?? new MemoryHome();
    this.homes.set(dataDir, home);
    return home;
  }

  async addressTowards(_target?: string): Promise<Ip> {
    return Ip('10.0.0.77');
  }

  async start(service: Service, anew: boolean): Promise<boolean> {
    if (this.hasSystemd) this.done.push(`${anew ? 'restart' : 'start'} ${service}`);
    return this.hasSystemd;
  }

  async stop(service: Service): Promise<boolean> {
    if (this.hasSystemd) this.done.push(`stop ${service}`);
    return this.hasSystemd;
  }

  async clear(service: Service, dataDir: string): Promise<void> {
    this.done.push(`clear ${service} ${dataDir}`);
  }

  async foundCluster(words: readonly string[]): Promise<Founded> {
    this.done.push(`init ${words.join(' ')}`);
    return {
      clusterId: '0123456789abcdef',
      caFingerprint: 'f1'.repeat(32),
      operatorDirectory: '/root/.config/causeway/0123456789abcdef',
    };
  }

  async readToken(path: string): Promise<string> {
    const token = this.tokens.get(path);
    if (token !== undefined) return token;
    throw new CausewayError('invalid-argument', `--token-file ${path}: cannot be read`, { field: '--token-file' });
  }
}

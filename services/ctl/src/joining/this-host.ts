import type { Home } from '@causeway/enrollment';
import type { Ip } from '@causeway/model';

/** The services that make a host a member of a cluster. */
export type Service = (typeof services)[number];

/** In the order in which they leave. */
export const services = ['agent', 'manager'] as const;

/** What `causeway-manager init` prints. */
export interface Founded {
  readonly clusterId: string;
  readonly caFingerprint: string;
  /** Where the credential of the first operator is. */
  readonly operatorDirectory: string;
}

/** This host, as far as joining and leaving concern it. */
export interface ThisHost {
  /** The host's name, without its domain. */
  readonly name: string;
  /** Whether this user may write the settings and data of the services. */
  readonly isWritable: boolean;
  /** Where the service keeps its data unless its settings say otherwise. */
  dataDir(service: Service): string;
  /** Path of the settings of a service. */
  settingsFile(service: Service): string;
  /** The text of the settings; empty: there is no such file. */
  readSettings(service: Service): Promise<string>;
  /** Whole or not at all, for the owner only. */
  writeSettings(service: Service, text: string): Promise<void>;
  home(service: Service, dataDir: string): Home;
  /**
   * The address of this host from which packets to another host leave. `target`: HOST:PORT; absent: any host.
   * @throws CausewayError address-absent: there is no route
   */
  addressTowards(target?: string): Promise<Ip>;
  /**
   * Starts the service, now and at each boot. `anew`: also when it runs, because its settings have changed.
   * False: this host has no systemd.
   */
  start(service: Service, anew: boolean): Promise<boolean>;
  /** Stops the service, now and at each boot. False: this host has no systemd. */
  stop(service: Service): Promise<boolean>;
  /**
   * Deletes the data of a service that does not run; of an agent also what the kernel has of it.
   * @throws CausewayError when the agent cannot remove all
   */
  clear(service: Service, dataDir: string): Promise<void>;
  /** Runs `causeway-manager init`. @throws CausewayError */
  foundCluster(words: readonly string[]): Promise<Founded>;
  /** A join token from a file; "-": from standard input. */
  readToken(path: string): Promise<string>;
}

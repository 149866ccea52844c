import {
  CausewayError,
  type ClusterId,
  checkLabels,
  clip,
  encapPort,
  type FeedVersion,
  type Ip,
  type Labels,
  type Name,
  type NodeId,
  parseAdvertised,
  parseDataPath,
  parseLabel,
  parseName,
  unwrap,
} from '@causeway/model';
import type { Duration } from '@causeway/runtime';

export interface AgentSettings {
  /** Id of this host, as in its certificate. */
  readonly nodeId: NodeId;
  /** Id of this host's cluster, as in its certificate. */
  readonly cluster: ClusterId;
  /** Name of this host, unique in the cluster. */
  readonly name: Name;
  /** HOST:PORT of each known manager; the first is tried first. */
  readonly managers: readonly string[];
  /** Address from which this host sends VXLAN, and at which it receives VXLAN; a device of the host has it. */
  readonly dataPath: Ip;
  /** The address at which other hosts reach `dataPath` through a NAT; absent: at `dataPath` itself. */
  readonly advertised?: Ip;
  /** The host needs ESP in UDP on encrypted networks: the UDP port at which other hosts reach it. Absent: it does not. */
  readonly encapPort?: number;
  /** UDP port; 4789 is the port assigned to VXLAN (RFC 7348 §5). */
  readonly vxlanPort: number;
  /** How often this host makes a new key for encrypted networks; absent: every 8 hours. */
  readonly rekeyPeriod?: Duration;
  /** Labels of this host, for selectors. */
  readonly labels?: Labels;
  readonly version: string;
  /** Feed versions that the agent understands, oldest first; absent: those of this version. */
  readonly feeds?: readonly FeedVersion[];
}

/**
 * When this host asks the others for ESP in UDP. "auto": when a NAT is before it, which is so when it is reached at another address
 * than its device has. "never": it does not ask, and still uses it with hosts that do.
 */
export const encaps = ['auto', 'always', 'never'] as const;
export type Encap = (typeof encaps)[number];

/** Options as given on the command line or in the environment. */
export interface AgentOptions {
  readonly name: string;
  readonly managers: string;
  readonly dataPath: string;
  readonly vxlanPort: string;
  readonly advertise?: string;
  readonly encap?: Encap;
  /** Each as "key=value". */
  readonly label?: readonly string[];
}

/** Throws a CausewayError that names the option and what would be right. */
export function parseSettings(options: AgentOptions, version: string): Omit<AgentSettings, 'nodeId' | 'cluster'> {
  const dataPath = unwrap(parseDataPath(options.dataPath, '--data-path'));
  return {
    name: unwrap(parseName(options.name, '--name')),
    managers: parseManagers(options.managers),
    dataPath,
    ...parseNat(options, dataPath),
    vxlanPort: parsePort('--vxlan-port', options.vxlanPort),
    labels: parseLabels(options.label ?? []),
    version,
  };
}

function parseManagers(text: string): readonly string[] {
  const managers = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (managers.length === 0) throw invalid('--managers', text, 'at least one HOST:PORT such as 10.0.0.1:7443');
  for (const manager of managers) {
    const match = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+):(\d{1,5})$/.exec(manager);
    if (match?.[1] === undefined) throw invalid('--managers', manager, 'HOST:PORT such as 10.0.0.1:7443');
    parsePort('--managers', match[1]);
  }
  return managers;
}

function parseLabels(texts: readonly string[]): Labels {
  const labels = Object.fromEntries(texts.map((text) => unwrap(parseLabel(text, '--label'))));
  checkLabels(labels, '--label');
  return labels;
}

/** What is known of a NAT before this host. */
function parseNat(
  { advertise, encap = 'auto' }: AgentOptions,
  dataPath: Ip,
): Pick<AgentSettings, 'advertised' | 'encapPort'> {
  const { address, port = encapPort } = unwrap(parseAdvertised(advertise ?? dataPath, dataPath, '--advertise'));
  const isBehindNat = address !== dataPath;
  const needsEncap = encap === 'always' || (encap === 'auto' && isBehindNat);
  return { ...(isBehindNat && { advertised: address }), ...(needsEncap && { encapPort: port }) };
}

function parsePort(field: string, text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw invalid(field, text, 'a port from 1 to 65535');
}

function invalid(field: string, text: string, expected: string): CausewayError {
  return new CausewayError('invalid-argument', `${field}: "${clip(text)}" is not ${expected}`, {
    field,
    value: clip(text),
  });
}
